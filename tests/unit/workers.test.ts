import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { limitsOf, readControllerSettings, settingsFor } from "@bluegreen/release/config/analysisSettings";
import { workersOf } from "@bluegreen/release/config/background";
import { roomFor } from "@bluegreen/release/config/room";
import { parseSettings } from "@bluegreen/release/config/settings";
import { attention } from "@bluegreen/release/releases/status";
import { readStackFollowers } from "../../cli/stackFollowers";
import { expectUnreached } from "./backgroundPolicy";
import { allBefore, recordApp, someSettings, type Recorder } from "./recorder";
import { onBlue } from "./statuses";

const deployment = "kubernetes:apps/v1:Deployment";
const step = (kind: string) => `pulumi-nodejs:dynamic/bluegreen:${kind}`;

const mailer = { name: "mailer", command: ["node", "mailer.js"] };
const index = { name: "index", runOn: "both", replicas: 2, args: ["--index"] };
const withWorkers = (...workers: object[]) => ({ ...someSettings, workers: JSON.stringify(workers) });
const settingsOf = (config: Record<string, string>) => parseSettings("chatgpt-app", config);

interface Made {
  metadata: { labels: Record<string, string> };
  spec: {
    replicas: number;
    strategy: { type: string };
    selector: { matchLabels: Record<string, string> };
    template: {
      metadata: { labels: Record<string, string>; annotations: Record<string, string> };
      spec: Record<string, unknown> & { containers: Record<string, unknown>[] };
    };
  };
}

describe("Workers", function () {
  // Names of a color's objects are slow on purpose.
  let without: Recorder;
  let recorder: Recorder;
  before(async () => {
    without = await recordApp();
    recorder = await recordApp(withWorkers(mailer, index));
  });

  const made = (name: string, from = recorder) => from.one(deployment, name).inputs as unknown as Made;
  const hashOf = (from: Recorder, name = "chatgpt-app-blue") =>
    made(name, from).spec.template.metadata.annotations["bluegreen.dev/pod-template-hash"];

  it("of an app without any are nothing at all", async () => {
    const empty = await recordApp(withWorkers());
    const shown = (from: Recorder) => from.recorded.map(({ type, name, readable }) => [type, name, readable]);
    expect(shown(empty)).to.deep.equal(shown(without));
    expect(without.recorded.filter(({ type }) => /Worker/.test(type))).to.deep.equal([]);
  });

  it("are the color's pods without what answers requests, and with what config says", () => {
    const app = made("chatgpt-app-blue").spec.template;
    const { spec } = made("chatgpt-app-blue-mailer");
    const [server] = app.spec.containers;
    const [container, ...others] = spec.template.spec.containers;
    expect(others).to.deep.equal([]);
    for (const key of ["image", "env", "envFrom", "resources", "securityContext", "volumeMounts"])
      expect(container?.[key], key).to.deep.equal(server?.[key]);
    expect(container)
      .to.include.keys("command")
      .and.not.have.any.keys("ports", "readinessProbe", "lifecycle");
    expect(container?.["command"]).to.deep.equal(["node", "mailer.js"]);
    expect(spec.template.spec["serviceAccountName"]).to.equal(app.spec["serviceAccountName"]);
    expect(spec.template.metadata.annotations).to.deep.equal(app.metadata.annotations);
  });

  it("are selected by nothing that selects the color's pods", () => {
    const { matchLabels } = made("chatgpt-app-blue-mailer").spec.selector;
    const { labels } = made("chatgpt-app-blue-mailer").spec.template.metadata;
    expect(matchLabels).to.deep.equal({
      "app.kubernetes.io/name": "chatgpt-app",
      version: "blue",
      "bluegreen.dev/worker": "mailer",
    });
    expect(labels).to.include(matchLabels);
    expect(labels).not.to.have.property("app");
  });

  it("have a NetworkPolicy that nobody reaches them by", () => {
    expectUnreached(recorder);
  });

  it("start at zero, and no two versions of one of the active color run in a change in place", async () => {
    const overlapping = await recordApp(withWorkers({ ...mailer, overlap: true }));
    expect(made("chatgpt-app-blue-mailer").spec).to.include({ replicas: 0 });
    expect(recorder.one(deployment, "chatgpt-app-blue-mailer").ignoreChanges).to.deep.equal([
      "spec.replicas",
    ]);
    expect(made("chatgpt-app-blue-mailer").spec.strategy).to.deep.equal({ type: "Recreate" });
    for (const [name, from] of [
      ["chatgpt-app-blue-index", recorder],
      ["chatgpt-app-blue-mailer", overlapping],
    ] as const)
      expect(made(name, from).spec.strategy).to.include({ type: "RollingUpdate" });
  });

  it("are a part of what their color is, and how many there are is not", async () => {
    const other = await recordApp(withWorkers({ ...mailer, command: ["node", "other.js"] }, index));
    const more = await recordApp(withWorkers({ ...mailer, replicas: 9 }, index));
    expect(hashOf(recorder)).not.to.equal(hashOf(without));
    expect(hashOf(other)).not.to.equal(hashOf(recorder));
    expect(hashOf(more)).to.equal(hashOf(recorder));
  });

  it("of one color replace those of both by their names, and leave the other color as it is", async () => {
    const green = JSON.stringify({ workers: [{ name: "mailer", command: ["v2"] }] });
    const both = await recordApp({ ...withWorkers(mailer, index), green });
    const [container] = made("chatgpt-app-green-mailer", both).spec.template.spec.containers;
    expect(container?.["command"]).to.deep.equal(["v2"]);
    expect(hashOf(both)).to.equal(hashOf(recorder));
    expect(hashOf(both, "chatgpt-app-green")).not.to.equal(hashOf(recorder, "chatgpt-app-green"));
    made("chatgpt-app-green-index", both);
  });

  it("stop after every gate, before traffic moves, and start after it", () => {
    const stop = allBefore(recorder, "chatgpt-app-workers-stop");
    for (const gate of ["chatgpt-app-blue-smoke", "chatgpt-app-blue-workers", "chatgpt-app-switch-gate"])
      expect([...stop]).to.include(gate);
    expect([...stop]).not.to.include("chatgpt-app-service");
    expect([...allBefore(recorder, "chatgpt-app-service")]).to.include("chatgpt-app-workers-stop");
    expect([...allBefore(recorder, "chatgpt-app-workers-start")]).to.include("chatgpt-app-service");
    expect([...allBefore(recorder, "chatgpt-app-analysis")]).not.to.include("chatgpt-app-workers-start");
    expect([...allBefore(recorder, "chatgpt-app-green")]).to.include("chatgpt-app-workers-start");
  });

  it("of both colors have to be ready before the switch, and nobody stops them", () => {
    expect(recorder.one(step("WorkerRollout"), "chatgpt-app-green-workers").inputs["workers"]).to.deep.equal([
      { name: "index", replicas: 2 },
    ]);
    expect(recorder.one(step("WorkersStop"), "chatgpt-app-workers-stop").inputs["workers"]).to.deep.equal({
      blue: [{ name: "mailer", replicas: 1, overlap: false }],
      green: [{ name: "mailer", replicas: 1, overlap: false }],
    });
  });

  it("are known to the controller, which may scale them and nothing else", async () => {
    const analysis = '{"controllerImage":"ghcr.io/you/analysis-controller:1"}';
    const controlled = await recordApp({ ...withWorkers(mailer, index), analysis });
    const { spec } = made("chatgpt-app-analysis", controlled);
    const env = spec.template.spec.containers[0]?.["env"] as { name: string; value: string }[];
    const text = env.find(({ name }) => name === "ANALYSIS_SETTINGS")?.value ?? "";
    const { followers, limits } = settingsFor({ weight: 100 }, readControllerSettings(text));
    expect(followers).to.deep.equal(settingsOf(withWorkers(mailer, index)).followers);
    expect(limits.workers).to.equal(true);
    const { rules } = controlled.one("kubernetes:rbac.authorization.k8s.io/v1:Role", "chatgpt-app-analysis")
      .inputs as { rules: { resources: string[]; resourceNames: string[]; verbs: string[] }[] };
    expect(rules.filter(({ resources }) => resources.includes("deployments/scale"))).to.deep.equal([
      {
        apiGroups: ["apps"],
        resources: ["deployments/scale"],
        resourceNames: ["chatgpt-app-blue-mailer", "chatgpt-app-green-mailer"],
        verbs: ["patch"],
      },
    ]);
  });

  it("have room in the quota: one color's, or both where they run on both", () => {
    const pods = (...workers: object[]) => roomFor(settingsOf(withWorkers(...workers))).pods;
    const none = pods();
    expect(pods({ ...mailer, replicas: 4 }) - none).to.equal(5);
    expect(pods({ ...mailer, replicas: 4, overlap: true }) - none).to.equal(10);
    expect(pods({ ...index, replicas: 4 }) - none).to.equal(10);
  });

  it("are refused where two have a name, or one overlaps on both colors", () => {
    for (const wrong of [
      [mailer, mailer],
      [{ ...index, overlap: true }],
      [{ name: "No_Name" }],
      [{ ...mailer, replicas: 0 }],
      [{ ...mailer, podTemplate: { metadata: { labels: { version: "green" } } } }],
    ])
      expect(() => settingsOf(withWorkers(...wrong)), JSON.stringify(wrong)).to.throw(/refused/);
  });

  it("of the active color are told by the config of both and of each", () => {
    const own = settingsOf({ ...withWorkers(index), green: JSON.stringify({ workers: [mailer] }) });
    expect(own.followers).to.deep.equal({
      workers: { blue: [], green: [{ name: "mailer", replicas: 1, overlap: false }] },
    });
    expect(settingsOf(withWorkers(index)).followers).to.equal(undefined);
  });

  it("are asked for by the analysis where a color has any", () => {
    const asked = (config: Record<string, string>) => limitsOf("chatgpt-app", settingsOf(config)).workers;
    expect(asked(withWorkers())).to.equal(undefined);
    expect(asked(withWorkers(index))).to.equal(true);
    expect(asked({ ...withWorkers(), green: JSON.stringify({ workers: [mailer] }) })).to.equal(true);
  });

  it("are read by the command line beside secrets that it cannot read", () => {
    const folder = mkdtempSync(join(tmpdir(), "workers-"));
    const file = join(folder, "Pulumi.test.yaml");
    try {
      writeFileSync(
        file,
        JSON.stringify({
          config: {
            "chatgpt-app:workers": [mailer],
            "chatgpt-app:blue": { secretEnv: { TOKEN: { secure: "v1:x" } }, workers: [index] },
            "chatgpt-app:green": { secure: "v1:y" },
          },
        }),
      );
      const config = readStackFollowers("test", file);
      const namesOf = (color: "blue" | "green") => workersOf(config, color).map(({ name }) => name);
      expect({ blue: namesOf("blue"), green: namesOf("green") }).to.deep.equal({
        blue: ["mailer", "index"],
        green: ["mailer"],
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("of the live color are never at zero unseen", () => {
    const found = (color: "blue" | "green", ready: number, wanted: number, planned: number) =>
      attention(onBlue({ workers: [{ color, name: "mailer", ready, wanted, planned }] })).join();
    expect(found("blue", 0, 0, 1)).to.match(/mailer of blue.*0 of 1.*pulumi up/);
    expect(found("green", 1, 1, 0)).to.match(/mailer of green runs.*pulumi up/);
    expect(found("blue", 0, 1, 1)).to.match(/0 of 1 pods ready/);
    expect(found("green", 0, 0, 0)).to.equal("");
  });
});
