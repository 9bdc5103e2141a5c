import { colorLabels } from "@bluegreen/release/app/names";
import { expect } from "chai";
import { allBefore, recordApp, someSettings, type Recorded, type Recorder } from "./recorder";

const configMap = "kubernetes:core/v1:ConfigMap";
const secret = "kubernetes:core/v1:Secret";
const deployment = "kubernetes:apps/v1:Deployment";

const config = {
  ...someSettings,
  env: '{"LOG_LEVEL":"info","REGION":"eu"}',
  green: '{"env":{"LOG_LEVEL":"debug"}}',
  secretEnv: '{"TOKEN":"hunter2","OPENAI_API_KEY":"sk-hunter3"}',
};

const record = (part: Record<string, string> = {}) => recordApp({ ...config, ...part });

/** The objects that a color's pods take variables from, by the Deployment's word. */
function configOf(recorder: Recorder, color: string): { configMap: Recorded; secret: Recorded } {
  const { spec } = recorder.one(deployment, `chatgpt-app-${color}`).inputs as {
    spec: {
      template: {
        spec: {
          containers: { envFrom: [{ configMapRef: { name: string } }, { secretRef: { name: string } }] }[];
        };
      };
    };
  };
  const [fromMap, fromSecret] = spec.template.spec.containers[0]?.envFrom ?? [];
  return {
    configMap: recorder.one(configMap, fromMap?.configMapRef.name ?? ""),
    secret: recorder.one(secret, fromSecret?.secretRef.name ?? ""),
  };
}

/** Names of all that belongs to the pods of a color, and the hash of their template. */
function namesOf(recorder: Recorder, color: string): string[] {
  const { spec } = recorder.one(deployment, `chatgpt-app-${color}`).inputs as {
    spec: { template: { metadata: { annotations: Record<string, string> } } };
  };
  const objects = configOf(recorder, color);
  return [
    objects.configMap.name,
    objects.secret.name,
    spec.template.metadata.annotations["bluegreen.dev/pod-template-hash"] ?? "",
  ];
}

describe("The config of a color", function () {
  // Each name of a secret takes a tenth of a second on purpose.

  it("is immutable, named by content, and there before the pods that need it", async () => {
    const recorder = await record();
    for (const [color, level] of [
      ["blue", "info"],
      ["green", "debug"],
    ] as const) {
      const objects = configOf(recorder, color);
      for (const { name, inputs } of Object.values(objects)) {
        expect(name).to.match(new RegExp(`^chatgpt-app-${color}-[0-9a-f]{12}$`));
        expect(inputs).to.deep.include({
          immutable: true,
          metadata: { name, namespace: "chatgpt-production", labels: colorLabels("chatgpt-app", color) },
        });
        expect([...allBefore(recorder, `chatgpt-app-${color}`)]).to.include(name);
        expect([...allBefore(recorder, name)], "refused before anything is made").to.include(
          "chatgpt-app-live-lock",
        );
      }
      expect(objects.configMap.inputs["data"]).to.deep.equal({ LOG_LEVEL: level, REGION: "eu" });
      expect(objects.secret.inputs["stringData"]).to.deep.equal({
        TOKEN: "hunter2",
        OPENAI_API_KEY: "sk-hunter3",
      });
    }
  });

  it("changes its name and the template's hash with its content, for the color that it is for", async () => {
    const before = await record();
    for (const part of [
      { green: '{"env":{"LOG_LEVEL":"trace"}}' },
      { green: '{"env":{"LOG_LEVEL":"debug"},"secretEnv":{"TOKEN":"another"}}' },
      { green: '{"env":{"LOG_LEVEL":"debug"},"secretEnv":{"OPENAI_API_KEY":"sk-2"}}' },
    ]) {
      const after = await record(part);
      expect(namesOf(after, "blue"), JSON.stringify(part)).to.deep.equal(namesOf(before, "blue"));
      const changed = namesOf(after, "green").map((name, index) => name !== namesOf(before, "green")[index]);
      expect(changed, JSON.stringify(part)).to.deep.equal(
        part.green.includes("trace") ? [true, false, true] : [false, true, true],
      );
    }
    const both = await record({ env: '{"LOG_LEVEL":"info","REGION":"us"}' });
    for (const color of ["blue", "green"])
      expect(namesOf(both, color)).not.to.include.members(namesOf(before, color).slice(2));
  });

  it("has its old names again with the old settings, wherever they stand", async () => {
    const before = await record();
    const elsewhere = await record({
      env: '{"REGION":"eu"}',
      secretEnv: "{}",
      blue: '{"env":{"LOG_LEVEL":"info"},"secretEnv":{"OPENAI_API_KEY":"sk-hunter3","TOKEN":"hunter2"}}',
      green: '{"env":{"LOG_LEVEL":"debug"},"secretEnv":{"TOKEN":"hunter2","OPENAI_API_KEY":"sk-hunter3"}}',
    });
    for (const color of ["blue", "green"]) {
      expect(namesOf(await record(), color)).to.deep.equal(namesOf(before, color));
      expect(namesOf(elsewhere, color)).to.deep.equal(namesOf(before, color));
    }
  });

  it("tells nothing of a secret to who sees the names: not even that another color or namespace has the same", async () => {
    const [here, there] = [await record(), await record({ namespace: "chatgpt-staging" })];
    const hashes = [here, there].flatMap((recorder) =>
      ["blue", "green"].map((color) => configOf(recorder, color).secret.name.slice(-12)),
    );
    expect(new Set(hashes).size).to.equal(4);
    expect(configOf(here, "blue").configMap.name).to.equal(configOf(there, "blue").configMap.name);
  });

  it("shows no secret to the engine, nor to any other resource", async () => {
    for (const { type, name, readable } of (await record()).recorded) {
      expect(readable, `${type} ${name}`).not.to.contain("hunter");
    }
  });

  it("makes nothing where there is nothing to hold, and takes the key from the Secret that somebody has made", async () => {
    const plain = await recordApp();
    expect(plain.recorded.filter(({ type }) => type === configMap)).to.deep.equal([]);
    expect(plain.recorded.filter(({ type }) => type === secret).map(({ name }) => name)).to.deep.equal([
      "chatgpt-app-ingress-preview",
    ]);
    const byHand = {
      name: "OPENAI_API_KEY",
      valueFrom: { secretKeyRef: { name: "openai-credentials", key: "api-key" } },
    };
    const variables = (recorder: Recorder, color: string) =>
      (
        recorder.one(deployment, `chatgpt-app-${color}`).inputs as {
          spec: { template: { spec: { containers: { env: unknown[] }[] } } };
        }
      ).spec.template.spec.containers[0]?.env;
    expect(variables(plain, "blue")).to.deep.include(byHand);
    expect(variables(await record(), "blue")).not.to.deep.include(byHand);
    const one = await recordApp({ ...someSettings, green: '{"secretEnv":{"OPENAI_API_KEY":"sk-2"}}' });
    expect(variables(one, "blue")).to.deep.include(byHand);
    expect(variables(one, "green")).not.to.deep.include(byHand);
  });

  it("is what the lock on the live color is told", async () => {
    const recorder = await record();
    const configs = recorder.one("pulumi-nodejs:dynamic/bluegreen:LiveLock", "chatgpt-app-live-lock").inputs[
      "configs"
    ];
    expect(configs).to.deep.equal({
      blue: namesOf(recorder, "blue").slice(0, 2),
      green: namesOf(recorder, "green").slice(0, 2),
    });
  });
});
