import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { poll, type TrialInputs } from "@bluegreen/release";
import { findProcesses } from "../../local/system/processes";
import { failureOf } from "../support/look";
import { makeNamespace, type TestNamespace } from "../support/testNamespace";
import { startStep, type RunningStep } from "./stepProvider";

describe("The trial of a live change, in Pulumi's provider process and on a real cluster", function () {
  this.timeout(180_000);
  let home: TestNamespace;
  let step: RunningStep;
  let mark: string;
  before(async () => {
    home = await makeNamespace();
    const { core, apps } = home.cluster;
    const labels = { app: "chatgpt-app", version: "blue" };
    await core.createNamespacedService({ namespace: home.namespace, body: { metadata: { name: "chatgpt-app-service" }, spec: { selector: labels, ports: [{ port: 80 }] } } });
    const template = { metadata: { labels, annotations: { "bluegreen/template": "live" } }, spec: { containers: [{ name: "mcp-server", image: "nowhere.invalid/app:v1" }] } };
    await apps.createNamespacedDeployment({ namespace: home.namespace, body: { metadata: { name: "chatgpt-app-blue" }, spec: { replicas: 0, selector: { matchLabels: labels }, template } } });
  });
  after(() => home.remove());

  beforeEach(async () => {
    mark = `MARK=${randomBytes(6).toString("hex")}`;
    step = await startStep("trial", { KUBECONFIG: home.stage.kubeconfig, MARK: mark.slice(5) });
  });
  afterEach(() => step.close());

  const inputs = (part: Partial<TrialInputs> = {}): TrialInputs => ({
    ...home.where,
    strategy: "shared",
    activeColor: "blue",
    template: "wanted",
    // No registry has it: the pod is there and never ready.
    pod: { containers: [{ name: "mcp-server", image: "nowhere.invalid/app:v2", ports: [{ name: "http", containerPort: 3000 }] }] },
    version: "v2",
    minReadySeconds: 0,
    rolloutBudgetSeconds: 50,
    suite: "tests/smoke/**/*.ts",
    smokeBudgetSeconds: 10,
    ...part,
  });
  const pods = async () => (await home.cluster.core.listNamespacedPod({ namespace: home.namespace })).items;
  const leave = (name: string) =>
    home.cluster.core.createNamespacedPod({
      namespace: home.namespace,
      body: { metadata: { name, labels: { "bluegreen/trial": "chatgpt-app" } }, spec: { containers: [{ name: "mcp-server", image: "nowhere.invalid/app:v1" }] } },
    });

  it("is needed where the live color would change in place, and nowhere else", async () => {
    const needed = async (part: Partial<TrialInputs>) => step.changes(inputs(), inputs(part));
    expect(await needed({})).to.equal("some");
    expect(await needed({ template: "live" }), "nothing changes").to.equal("none");
    expect(await needed({ activeColor: "green" }), "traffic moves, through the gates of a switch").to.equal("none");
    await leave("chatgpt-app-green-trial");
    expect(await needed({ template: "live" }), "a killed run has left something").to.equal("some");
    expect(await step.create(inputs({ template: "live" }))).to.include({ passedTests: 0 });
    expect(await pods()).to.deep.equal([]);
  });

  it("has nothing to do in a first release", async () => {
    expect(await step.create(inputs({ app: "another-app" }))).to.include({ passedTests: 0 });
    expect(await pods()).to.deep.equal([]);
  });

  it("gives the reason that a rollout would give, and leaves no pod", async () => {
    await leave("chatgpt-app-blue-trial");
    const message = await failureOf(step.create(inputs()));
    expect(message).to.contain("The change of blue, which serves users, was refused before it reached them");
    expect(message).to.match(/pod chatgpt-app-blue-trial, (ErrImagePull|ImagePullBackOff)/).and.contain("nowhere.invalid/app:v2").and.contain("blueTag").and.contain("Live traffic stays on blue");
    expect(await pods()).to.deep.equal([]);
  });

  it("says for how long it has waited, and what for", async () => {
    const { containers } = inputs().pod as { containers: Record<string, string>[] };
    const tooLarge = containers.map((container) => ({ ...container, resources: { requests: { cpu: "1000" } } }));
    const message = await failureOf(step.create(inputs({ pod: { containers: tooLarge }, rolloutBudgetSeconds: 3 })));
    expect(message).to.contain("Pod ").and.contain("/chatgpt-app-blue-trial was not ready within 3 s").and.contain("Insufficient cpu").and.contain("rolloutBudgetSeconds");
    expect(await pods()).to.deep.equal([]);
  });

  it("says why the API server takes no such pod", async () => {
    await home.cluster.core.replaceNamespace({ name: home.namespace, body: { metadata: { name: home.namespace, labels: { "pod-security.kubernetes.io/enforce": "restricted" } } } });
    try {
      expect(await failureOf(step.create(inputs()))).to.contain("chatgpt-app-blue-trial could not be made").and.contain("violates PodSecurity").and.contain("Live traffic stays on blue");
    } finally {
      await home.cluster.core.replaceNamespace({ name: home.namespace, body: { metadata: { name: home.namespace } } });
    }
    expect(await pods()).to.deep.equal([]);
  });

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`ends on ${signal} at once, and takes its pod along`, async () => {
      const failing = failureOf(step.create(inputs()));
      await poll(async () => ((await pods()).length > 0 ? true : undefined), { timeoutMs: 20_000 });
      const provider = await poll(async () => (await findProcesses((_args, environment) => environment.includes(mark)))[0], { timeoutMs: 10_000 });
      process.kill(provider, signal);
      expect(await failing).to.contain(signal).and.contain("the update was interrupted");
      expect(await pods()).to.deep.equal([]);
    });
  }
});
