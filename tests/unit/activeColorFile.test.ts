import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { followersOf, type Followers } from "@bluegreen/release/config/background";
import { parseSettings } from "@bluegreen/release/config/settings";
import { readControllerSettings, settingsFor } from "@bluegreen/release/config/analysisSettings";
import { referencesOf } from "@bluegreen/release/doctor/planned";
import { rolesFor } from "@bluegreen/release/doctor/rights";
import { attention } from "@bluegreen/release/releases/status";
import { readStackFollowers } from "../../cli/stackFollowers";
import { allBefore, recordApp, someSettings, type Recorder } from "./recorder";
import { onBlue } from "./statuses";

const deployment = "kubernetes:apps/v1:Deployment";
const configMap = "kubernetes:core/v1:ConfigMap";
const step = (kind: string) => `pulumi-nodejs:dynamic/bluegreen:${kind}`;
const role = "kubernetes:rbac.authorization.k8s.io/v1:Role";

const withFile = { ...someSettings, activeColorFile: "true" };
const mailer = JSON.stringify([{ name: "mailer", command: ["node", "mailer.js"] }]);
const noWorkers = { blue: [], green: [] };
const followers: Followers = { workers: noWorkers, colorFile: true };
const volume = { name: "bluegreen-active", configMap: { name: "chatgpt-app-active", optional: true } };

interface Pods {
  metadata: { annotations: Record<string, string> };
  spec: {
    volumes: object[];
    containers: { env: { name: string; value: string }[]; volumeMounts: object[] }[];
  };
}

const podsOf = (from: Recorder, name = "chatgpt-app-blue") =>
  (from.one(deployment, name).inputs as { spec: { template: Pods } }).spec.template;
const hashOf = (from: Recorder, name?: string) =>
  podsOf(from, name).metadata.annotations["bluegreen.dev/pod-template-hash"];

describe("A file with the live color", function () {
  // Names of a color's objects are slow on purpose.
  let without: Recorder;
  let recorder: Recorder;
  before(async () => {
    without = await recordApp();
    recorder = await recordApp({ ...withFile, workers: mailer, allowInPlaceUpdate: "true" });
  });

  it("is nothing at all for an app that does not ask for it", async () => {
    const off = await recordApp({
      ...someSettings,
      activeColorFile: "false",
      green: '{"activeColorFile":false}',
    });
    const shown = (from: Recorder) => from.recorded.map(({ type, name, readable }) => [type, name, readable]);
    expect(shown(off)).to.deep.equal(shown(without));
    expect(shown(without).flat().join()).not.to.match(/active-color|-active\b|Workers(Stop|Start)/);
  });

  it("is in the app's container of both colors and of workers, which know its path", () => {
    for (const name of ["chatgpt-app-blue", "chatgpt-app-green", "chatgpt-app-blue-mailer"]) {
      const { spec } = podsOf(recorder, name);
      const [container] = spec.containers;
      expect(spec.volumes, name).to.deep.include(volume);
      expect(container?.volumeMounts, name).to.deep.include({
        name: "bluegreen-active",
        mountPath: "/etc/bluegreen/active",
        readOnly: true,
      });
      expect(container?.env, name).to.deep.include({
        name: "BLUEGREEN_ACTIVE_COLOR_FILE",
        value: "/etc/bluegreen/active/color",
      });
    }
  });

  it("is there before pods, and what it says is left to steps", () => {
    const { inputs } = recorder.one(configMap, "chatgpt-app-active");
    expect(inputs).not.to.have.any.keys("data", "immutable");
    expect([...allBefore(recorder, "chatgpt-app-blue")]).to.include("chatgpt-app-active");
    // No pod waits for it, and doctor asks nobody to make it.
    expect(referencesOf({ ...podsOf(recorder).spec }).map(({ name }) => name)).not.to.include(
      "chatgpt-app-active",
    );
  });

  it("changes before traffic moves, and after it", async () => {
    const alone = await recordApp(withFile);
    for (const kind of ["WorkersStop", "WorkersStart"])
      expect(alone.recorded.find(({ type }) => type === step(kind))?.inputs, kind).to.deep.include(followers);
    expect([...allBefore(alone, "chatgpt-app-service")]).to.include("chatgpt-app-workers-stop");
    expect([...allBefore(alone, "chatgpt-app-workers-start")]).to.include("chatgpt-app-service");
  });

  it("may be one color's alone, and the other one's pods stay what they are", async () => {
    const green = await recordApp({ ...someSettings, green: '{"activeColorFile":true}' });
    expect(hashOf(green)).to.equal(hashOf(without));
    expect(hashOf(green, "chatgpt-app-green")).not.to.equal(hashOf(without, "chatgpt-app-green"));
    expect(podsOf(green, "chatgpt-app-green").spec.volumes).to.deep.include(volume);
    green.one(configMap, "chatgpt-app-active");
  });

  it("is in no preflight pod, which would take jobs", () => {
    const { pod } = recorder.one(step("Preflight"), "chatgpt-app-preflight").inputs as { pod: Pods["spec"] };
    expect(pod.volumes).to.deep.include({ name: "bluegreen-active", emptyDir: {} });
    expect(pod.volumes).not.to.deep.include(volume);
  });

  it("is of each namespace where each color has one", async () => {
    const own = await recordApp({
      ...withFile,
      namespacePerColor: "true",
      traffic: '{"strategy":"weighted","router":"traefik"}',
    });
    for (const color of ["blue", "green"])
      expect(own.one(configMap, `chatgpt-app-active-${color}`).inputs["metadata"]).to.include({
        name: "chatgpt-app-active",
        namespace: `chatgpt-production-${color}`,
      });
  });

  it("is known to the controller and to doctor, with the rights for it and no others", async () => {
    const analysis = '{"controllerImage":"ghcr.io/you/analysis-controller:1"}';
    const rights = async (config: Record<string, string>) => {
      const { inputs } = (await recordApp({ ...config, analysis })).one(role, "chatgpt-app-analysis");
      const { rules } = inputs as {
        rules: { resources: string[]; resourceNames?: string[]; verbs: string[] }[];
      };
      return {
        pods: rules.find(({ resources }) => resources.includes("pods"))?.verbs,
        map: rules.find(({ resourceNames }) => resourceNames?.includes("chatgpt-app-active"))?.verbs,
        update: rolesFor("chatgpt-app", parseSettings("chatgpt-app", { ...config, analysis }))
          .flatMap(({ rules: all }) => all)
          .find(({ resources }) => resources.includes("pods"))?.verbs,
      };
    };
    expect(await rights(someSettings)).to.deep.equal({
      pods: ["get", "list"],
      map: undefined,
      update: ["get", "list", "create", "delete"],
    });
    expect(await rights(withFile)).to.deep.equal({
      pods: ["get", "list", "patch"],
      map: ["get", "patch"],
      update: ["get", "list", "create", "delete", "patch"],
    });
    const { spec } = (await recordApp({ ...withFile, analysis })).one(deployment, "chatgpt-app-analysis")
      .inputs as { spec: { template: Pods } };
    const text = spec.template.spec.containers[0]?.env.find(
      ({ name }) => name === "ANALYSIS_SETTINGS",
    )?.value;
    expect(settingsFor({ weight: 100 }, readControllerSettings(text ?? "")).followers).to.deep.equal(
      followers,
    );
  });

  it("is read by the command line beside secrets that it cannot read", () => {
    const folder = mkdtempSync(join(tmpdir(), "active-"));
    const file = join(folder, "Pulumi.test.yaml");
    try {
      const read = (config: object) => {
        writeFileSync(file, JSON.stringify({ config }));
        return followersOf(readStackFollowers("test", file));
      };
      const green = { secretEnv: { TOKEN: { secure: "v1:x" } }, activeColorFile: true };
      expect(read({ "chatgpt-app:green": green, "chatgpt-app:blue": { secure: "v1:y" } })).to.deep.equal(
        followers,
      );
      expect(read({ "chatgpt-app:activeColorFile": true })).to.deep.equal(followers);
      expect(read({})).to.equal(undefined);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("that says another color than the live one is never unseen", () => {
    const found = (...activeColorFile: ("blue" | "green" | "")[]) =>
      attention(onBlue({ activeColorFile })).join();
    expect(found("blue", "blue")).to.equal("");
    expect(found("blue", "green")).to.match(/green is active, and blue is live: pulumi up/);
    expect(found("")).to.match(/no color is active, and blue is live: pulumi up/);
  });
});
