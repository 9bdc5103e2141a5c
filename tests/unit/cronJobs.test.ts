import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { isSchedule, isTimeZone, followersOf } from "@bluegreen/release/config/background";
import { roomFor } from "@bluegreen/release/config/room";
import { parseSettings } from "@bluegreen/release/config/settings";
import { readControllerSettings, settingsFor } from "@bluegreen/release/config/analysisSettings";
import { rolesFor } from "@bluegreen/release/doctor/rights";
import { attention } from "@bluegreen/release/releases/status";
import { readStackFollowers } from "../../cli/stackFollowers";
import { expectUnreached } from "./backgroundPolicy";
import { allBefore, recordApp, someSettings, type Recorder } from "./recorder";
import { onBlue } from "./statuses";

const cronJob = "kubernetes:batch/v1:CronJob";
const deployment = "kubernetes:apps/v1:Deployment";
const step = (kind: string) => `pulumi-nodejs:dynamic/bluegreen:${kind}`;

const nightly = { name: "nightly", schedule: "0 2 * * *", command: ["node", "nightly.js"] };
const hourly = { name: "hourly", schedule: "@hourly", timeZone: "Europe/Berlin", concurrencyPolicy: "Allow" };
const withCronJobs = (...cronJobs: object[]) => ({ ...someSettings, cronJobs: JSON.stringify(cronJobs) });
const settingsOf = (config: Record<string, string>) => parseSettings("chatgpt-app", config);
const both = { blue: ["nightly", "hourly"], green: ["nightly", "hourly"] };

interface PodTemplate {
  metadata: { labels: Record<string, string>; annotations: Record<string, string> };
  spec: Record<string, unknown> & { containers: Record<string, unknown>[] };
}

interface Made {
  metadata: { labels: Record<string, string> };
  spec: {
    suspend: boolean;
    jobTemplate: { metadata: { labels: Record<string, string> }; spec: { template: PodTemplate } };
  };
}

describe("CronJobs", function () {
  // Names of a color's objects are slow on purpose.
  let without: Recorder;
  let recorder: Recorder;
  before(async () => {
    without = await recordApp();
    recorder = await recordApp(withCronJobs(nightly, hourly));
  });

  const made = (name: string, from = recorder) => from.one(cronJob, name).inputs as unknown as Made;
  const podsOf = (name: string, from = recorder) => made(name, from).spec.jobTemplate.spec.template;
  const appOf = (from = recorder, name = "chatgpt-app-blue") =>
    (from.one(deployment, name).inputs as unknown as { spec: { template: PodTemplate } }).spec.template;
  const hashOf = (from: Recorder, name = "chatgpt-app-blue") =>
    appOf(from, name).metadata.annotations["bluegreen.dev/pod-template-hash"];

  it("of an app without any are nothing at all", async () => {
    const empty = await recordApp(withCronJobs());
    const shown = (from: Recorder) => from.recorded.map(({ type, name, readable }) => [type, name, readable]);
    expect(shown(empty)).to.deep.equal(shown(without));
    expect(without.recorded.filter(({ type }) => /CronJob|Workers/.test(type))).to.deep.equal([]);
  });

  it("are the color's pods without what answers requests, with what config says, and end", () => {
    const app = appOf();
    const template = podsOf("chatgpt-app-blue-nightly");
    const [server] = app.spec.containers;
    const [container, ...others] = template.spec.containers;
    expect(others).to.deep.equal([]);
    for (const key of ["image", "env", "envFrom", "resources", "securityContext", "volumeMounts"])
      expect(container?.[key], key).to.deep.equal(server?.[key]);
    expect(container)
      .to.include.keys("command")
      .and.not.have.any.keys("ports", "readinessProbe", "livenessProbe", "lifecycle");
    expect(container?.["command"]).to.deep.equal(["node", "nightly.js"]);
    expect(template.spec).to.include({
      restartPolicy: "OnFailure",
      serviceAccountName: app.spec["serviceAccountName"],
    });
    expect(template.metadata.annotations).to.deep.equal(app.metadata.annotations);
  });

  it("keep their own restartPolicy, and not that of a server", async () => {
    const own = { ...nightly, podTemplate: { spec: { restartPolicy: "Never" } } };
    const podTemplate = JSON.stringify({ spec: { restartPolicy: "Always" } });
    const other = await recordApp({ ...withCronJobs(own, hourly), podTemplate });
    expect(podsOf("chatgpt-app-blue-nightly", other).spec["restartPolicy"]).to.equal("Never");
    expect(podsOf("chatgpt-app-blue-hourly", other).spec["restartPolicy"]).to.equal("OnFailure");
  });

  it("have Jobs and pods that nothing finds which selects the color's", () => {
    const { jobTemplate } = made("chatgpt-app-blue-nightly").spec;
    const { labels } = jobTemplate.spec.template.metadata;
    expect(labels).to.include({
      "app.kubernetes.io/name": "chatgpt-app",
      version: "blue",
      "bluegreen.dev/worker": "nightly",
    });
    expect(labels).not.to.have.property("app");
    expect(jobTemplate.metadata.labels).to.deep.equal(labels);
  });

  it("have a NetworkPolicy that nobody reaches them by", () => {
    expectUnreached(recorder);
  });

  it("are made suspended on both colors, and stay what a switch has made of them", async () => {
    for (const color of ["blue", "green"]) {
      expect(made(`chatgpt-app-${color}-nightly`).spec).to.include({
        schedule: "0 2 * * *",
        concurrencyPolicy: "Forbid",
        suspend: true,
      });
      expect(recorder.one(cronJob, `chatgpt-app-${color}-nightly`).ignoreChanges).to.deep.equal([
        "spec.suspend",
      ]);
    }
    expect(made("chatgpt-app-blue-nightly").spec).not.to.have.property("timeZone");
    expect(made("chatgpt-app-blue-hourly").spec).to.include({
      timeZone: "Europe/Berlin",
      concurrencyPolicy: "Allow",
    });
    const alone = await recordApp({ ...withCronJobs(nightly), greenTag: "" });
    expect(alone.one(cronJob, "chatgpt-app-green-nightly").ignoreChanges).to.deep.equal([]);
  });

  it("are a part of what their color is, with their schedule", async () => {
    const later = await recordApp(withCronJobs({ ...nightly, schedule: "0 3 * * *" }, hourly));
    const other = await recordApp(withCronJobs({ ...nightly, command: ["true"] }, hourly));
    expect(new Set([without, recorder, later, other].map((from) => hashOf(from))).size).to.equal(4);
  });

  it("of one color replace those of both by their names, and leave the other color as it is", async () => {
    const green = JSON.stringify({ cronJobs: [{ ...nightly, schedule: "@daily" }] });
    const own = await recordApp({ ...withCronJobs(nightly, hourly), green });
    expect(made("chatgpt-app-green-nightly", own).spec).to.include({ schedule: "@daily" });
    expect(hashOf(own)).to.equal(hashOf(recorder));
    expect(hashOf(own, "chatgpt-app-green")).not.to.equal(hashOf(recorder, "chatgpt-app-green"));
    made("chatgpt-app-green-hourly", own);
  });

  it("are suspended after every gate, before traffic moves, and resumed after it", () => {
    const stop = allBefore(recorder, "chatgpt-app-workers-stop");
    for (const before of ["chatgpt-app-blue-smoke", "chatgpt-app-switch-gate", "chatgpt-app-blue-nightly"])
      expect([...stop]).to.include(before);
    expect([...allBefore(recorder, "chatgpt-app-service")]).to.include("chatgpt-app-workers-stop");
    expect([...allBefore(recorder, "chatgpt-app-workers-start")]).to.include("chatgpt-app-service");
    for (const [kind, name] of [
      ["WorkersStop", "chatgpt-app-workers-stop"],
      ["WorkersStart", "chatgpt-app-workers-start"],
    ] as const)
      expect(recorder.one(step(kind), name).inputs["cronJobs"]).to.deep.equal(both);
  });

  it("are known to the controller, which may suspend them and nothing else", async () => {
    const analysis = '{"controllerImage":"ghcr.io/you/analysis-controller:1"}';
    const controlled = await recordApp({ ...withCronJobs(nightly), analysis });
    const controller = controlled.one(deployment, "chatgpt-app-analysis").inputs as unknown as {
      spec: { template: PodTemplate };
    };
    const env = controller.spec.template.spec.containers[0]?.["env"] as { name: string; value: string }[];
    const text = env.find(({ name }) => name === "ANALYSIS_SETTINGS")?.value ?? "";
    expect(settingsFor({ weight: 100 }, readControllerSettings(text)).followers).to.deep.equal(
      settingsOf(withCronJobs(nightly)).followers,
    );
    const { rules } = controlled.one("kubernetes:rbac.authorization.k8s.io/v1:Role", "chatgpt-app-analysis")
      .inputs as { rules: { apiGroups: string[] }[] };
    const resourceNames = ["chatgpt-app-blue-nightly", "chatgpt-app-green-nightly"];
    expect(rules.filter(({ apiGroups }) => apiGroups.includes("batch"))).to.deep.equal([
      { apiGroups: ["batch"], resources: ["cronjobs"], resourceNames, verbs: ["get", "patch"] },
      { apiGroups: ["batch"], resources: ["cronjobs/status"], resourceNames, verbs: ["patch"] },
      { apiGroups: ["batch"], resources: ["jobs"], verbs: ["list"] },
    ]);
  });

  it("ask whoever runs an update for rights on them, and without them for none", () => {
    const batch = (config: Record<string, string>) =>
      rolesFor("chatgpt-app", settingsOf(config))
        .flatMap(({ rules }) => rules)
        .filter(({ apiGroups }) => apiGroups.includes("batch"))
        .map(({ resources }) => resources.join());
    expect(batch(withCronJobs(nightly))).to.deep.equal(["cronjobs", "cronjobs/status", "jobs"]);
    expect(batch(someSettings)).to.deep.equal([]);
  });

  it("have room in the quota for a Job of each, of both colors", () => {
    const pods = (config: object) =>
      roomFor(settingsOf({ ...withCronJobs(nightly, hourly), ...config })).pods;
    const none = (config: object) => roomFor(settingsOf({ ...someSettings, ...config })).pods;
    const apart = { namespacePerColor: "true", traffic: '{"strategy":"weighted","router":"traefik"}' };
    expect(pods({}) - none({})).to.equal(4);
    expect(pods(apart) - none(apart)).to.equal(2);
  });

  it("are refused where one is not what Kubernetes takes, by its path", () => {
    const refused: [field: string, cronJobs: object[]][] = [
      ["cronJobs =", [nightly, nightly]],
      ["cronJobs[1].schedule", [nightly, { name: "other", schedule: "0 24 * * *" }]],
      ["cronJobs[0].schedule", [{ name: "nightly" }]],
      ["cronJobs[0].timeZone", [{ ...nightly, timeZone: "Berlin" }]],
      ["cronJobs[0].concurrencyPolicy", [{ ...nightly, concurrencyPolicy: "Never" }]],
      ["cronJobs[0].name", [{ ...nightly, name: "No_Name" }]],
      ["cronJobs[0].suspend", [{ ...nightly, suspend: true }]],
      ["cronJobs[0] =", [{ ...nightly, podTemplate: { spec: { restartPolicy: "Always" } } }]],
    ];
    for (const [field, cronJobs] of refused)
      expect(() => settingsOf(withCronJobs(...cronJobs)), field).to.throw(field);
    expect(() =>
      settingsOf(withCronJobs({ ...nightly, podTemplate: { metadata: { labels: { version: "green" } } } })),
    ).to.throw(/metadata\.labels\.version/);
  });

  it("are refused by the name of a worker, and by one that is too long with the color's", () => {
    const workers = JSON.stringify([{ name: "nightly" }]);
    expect(() => settingsOf({ ...withCronJobs(nightly), workers })).to.throw(
      /a worker of blue has, as nightly/,
    );
    const app = "an-app-with-quite-a-long-name";
    const name = "every-night-at-two";
    expect(() => parseSettings(app, withCronJobs({ ...nightly, name }))).to.throw(
      new RegExp(`at most 17 characters on blue: ${app}-blue-${name} has 53, and a CronJob at most 52`),
    );
    parseSettings(app, withCronJobs({ ...nightly, name: name.slice(0, 16) }));
  });

  it("have the schedules that Kubernetes takes", () => {
    const taken = [
      "* * * * *",
      "*/5 0-6,22 1 jan-MAR sun",
      "? ? ? ? ?",
      "05/15 1-23/2 1,15 * 1-5",
      "@midnight",
    ];
    const refused = [
      ...["", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 7"],
      ...[
        "5-1 * * * *",
        "*/0 * * * *",
        "*-5 * * * *",
        "1,,2 * * * *",
        "-1 * * * *",
        "mon * * * *",
        "1.5 * * * *",
      ],
      ...["@every 1h", "@reboot", "@Daily", "TZ=Etc/UTC 0 2 * * *", "CRON_TZ=Etc/UTC 0 2 * * *"],
    ];
    expect(taken.filter((text) => !isSchedule(text))).to.deep.equal([]);
    expect(refused.filter(isSchedule)).to.deep.equal([]);
  });

  it("have time zones of the IANA database alone", () => {
    const taken = ["UTC", "Etc/UTC", "Etc/GMT+5", "America/Port-au-Prince", "America/Argentina/Buenos_Aires"];
    const refused = ["", "Local", "+01:00", "europe/berlin", "Europe/Nowhere", "../UTC", "UTC+1"];
    expect(taken.filter((name) => !isTimeZone(name))).to.deep.equal([]);
    expect(refused.filter(isTimeZone)).to.deep.equal([]);
  });

  it("are read by the command line beside secrets that it cannot read", () => {
    const folder = mkdtempSync(join(tmpdir(), "cron-jobs-"));
    const file = join(folder, "Pulumi.test.yaml");
    try {
      writeFileSync(
        file,
        JSON.stringify({
          config: {
            "chatgpt-app:cronJobs": [nightly],
            "chatgpt-app:blue": { secretEnv: { TOKEN: { secure: "v1:x" } }, cronJobs: [hourly] },
            "chatgpt-app:green": { secure: "v1:y" },
          },
        }),
      );
      expect(followersOf(readStackFollowers("test", file))).to.deep.equal({
        workers: { blue: [], green: [] },
        cronJobs: { blue: ["nightly", "hourly"], green: ["nightly"] },
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("of the live color are never suspended unseen, and those of the idle one never run so", () => {
    const found = (color: "blue" | "green", suspended: boolean) =>
      attention(onBlue({ cronJobs: [{ color, name: "nightly", suspended, running: 1 }] })).join();
    expect(found("blue", true)).to.match(/nightly of blue.*starts no Jobs.*pulumi up resumes/);
    expect(found("green", false)).to.match(/nightly of green starts Jobs.*pulumi up suspends/);
    expect([found("blue", false), found("green", true)]).to.deep.equal(["", ""]);
  });
});
