import { expect } from "chai";
import { poll, tellAll, type Alert, type RolloutInputs, type SmokeInputs } from "@bluegreen/release";
import { readIncidents } from "@bluegreen/release/alerts/pagerDuty";
import { someAlerts } from "../support/alerts";
import { failureOf } from "../support/read";
import { startReceiver } from "../support/receiver";
import { makeNamespace, type TestNamespace } from "../support/testNamespace";
import { startStep, type RunningStep } from "./stepProvider";

describe("The gates, in Pulumi's provider process and on a real cluster", function () {
  let test: TestNamespace;
  let smoke: RunningStep;
  let rollout: RunningStep;
  before(async () => {
    test = await makeNamespace();
    const env = { KUBECONFIG: test.stage.kubeconfig };
    [smoke, rollout] = await Promise.all([startStep("smokeGate", env), startStep("rollout", env)]);
    await test.cluster.core.createNamespacedService({
      namespace: test.namespace,
      body: activeService("blue"),
    });
  });
  after(async () => {
    await Promise.all([smoke.close(), rollout.close()]);
    await test.remove();
  });

  const activeService = (version: string) => ({
    metadata: { name: "chatgpt-app-service" },
    spec: { selector: { app: "chatgpt-app", version }, ports: [{ port: 80 }] },
  });
  const point = (version: string) =>
    test.cluster.core.replaceNamespacedService({
      name: "chatgpt-app-service",
      namespace: test.namespace,
      body: activeService(version),
    });
  const green = (part: Partial<RolloutInputs & SmokeInputs> = {}) => ({
    ...test.where,
    color: "green" as const,
    version: "v2",
    template: "abc",
    replicas: 2,
    maxReplicas: 0,
    active: false,
    suite: "tests/smoke/**/*.ts",
    suiteEnv: [],
    budgetSeconds: 2,
    ...part,
  });

  it("run again for every new pod template", async () => {
    for (const gate of [smoke, rollout]) {
      expect(await gate.changes(green(), green())).to.equal("none");
      expect(await gate.changes(green(), green({ template: "def" }))).to.equal("some");
    }
  });

  it("run again for every switch, even when the state says that they have passed for it", async () => {
    for (const gate of [smoke, rollout]) {
      expect(await gate.changes(green(), green({ active: true })), "config switches").to.equal("some");
      expect(
        await gate.changes(green({ active: true }), green({ active: true })),
        "the flip never happened",
      ).to.equal("some");
    }
  });

  it("do not run again for the color that is live, nor for the one that traffic left", async () => {
    await point("green");
    for (const gate of [smoke, rollout]) {
      expect(await gate.changes(green({ active: true }), green({ active: true }))).to.equal("none");
      expect(await gate.changes(green({ active: true }), green({ active: false }))).to.equal("none");
    }
    await point("blue");
  });

  it("the rollout is checked again when the number of pods changes; the app's tests are not", async () => {
    expect(await rollout.changes(green(), green({ replicas: 3 }))).to.equal("some");
    expect(await smoke.changes(green(), green({ replicas: 3 }))).to.equal("none");
  });

  it("the rollout is checked again while pods of a failed attempt are there, not because a pod is unready", async () => {
    const { apps } = test.cluster;
    const labels = { app: "chatgpt-app", version: "green" };
    await apps.createNamespacedDeployment({
      namespace: test.namespace,
      body: {
        metadata: { name: "chatgpt-app-green" },
        spec: {
          replicas: 2,
          selector: { matchLabels: labels },
          // No registry has it: its pods are there and never ready.
          template: {
            metadata: { labels, annotations: { "bluegreen.dev/pod-template-hash": "abc" } },
            spec: { containers: [{ name: "mcp-server", image: "nowhere.invalid/app:v1" }] },
          },
        },
      },
    });
    await poll(async () => ((await rollout.changes(green(), green())) === "none" ? true : undefined), {
      timeoutMs: 300_000,
    });
    const deployment = await apps.readNamespacedDeployment({
      name: "chatgpt-app-green",
      namespace: test.namespace,
    });
    Object.assign(deployment.spec?.template.metadata?.annotations ?? {}, {
      "bluegreen.dev/pod-template-hash": "failed",
    });
    await apps.replaceNamespacedDeployment({
      name: "chatgpt-app-green",
      namespace: test.namespace,
      body: deployment,
    });
    expect(await rollout.changes(green(), green())).to.equal("some");
    await apps.deleteNamespacedDeployment({ name: "chatgpt-app-green", namespace: test.namespace });
  });

  it("the rollout ends after its budget, names what is missing, and says where live traffic is", async () => {
    const message = await failureOf(rollout.create(green()));
    expect(message)
      .to.contain("was not ready within 2 s")
      .and.contain("the Deployment was not found")
      .and.contain("Live traffic stays on blue");
  });

  it("a color with less than the live one has takes over neither in preview nor later, whoever has scaled the live one", async () => {
    const { apps } = test.cluster;
    for (const color of ["blue", "green"]) {
      const labels = { app: "chatgpt-app", version: color };
      const metadata = { labels, annotations: { "bluegreen.dev/pod-template-hash": "abc" } };
      const body = {
        metadata: { name: `chatgpt-app-${color}` },
        spec: {
          replicas: 0,
          selector: { matchLabels: labels },
          template: {
            metadata,
            spec: { containers: [{ name: "mcp-server", image: "nowhere.invalid/app:v1" }] },
          },
        },
      };
      await apps.createNamespacedDeployment({ namespace: test.namespace, body });
    }
    const switching = green({ replicas: 0, active: true, budgetSeconds: 60 });
    expect(await rollout.check(switching)).to.deep.equal([]);
    expect(await rollout.create(switching)).to.include({ readyReplicas: 0 });
    // As an autoscaler does it: past the Deployment, by its scale.
    const scale = (color: string, replicas: number) =>
      apps.replaceNamespacedDeploymentScale({
        name: `chatgpt-app-${color}`,
        namespace: test.namespace,
        body: { metadata: { name: `chatgpt-app-${color}`, namespace: test.namespace }, spec: { replicas } },
      });
    await scale("blue", 3);
    const [violation, ...others] = await rollout.check(switching);
    expect(others).to.deep.equal([]);
    expect(violation?.property).to.equal("replicas");
    expect(violation?.reason)
      .to.contain("The switch to green was refused: it would have 0 ready pods, blue has 3")
      .and.contain("pulumi config set replicas 3");
    expect(await failureOf(rollout.create(switching)))
      .to.contain("The switch to green was refused: it has 0 ready pods, blue has 3")
      .and.contain("Live traffic stays on blue");
    expect(await rollout.check({ ...switching, active: false }), "no switch").to.deep.equal([]);
    expect(await rollout.check({ ...switching, replicas: 3 })).to.deep.equal([]);
    await scale("green", 3);
    expect(await rollout.check(switching), "its own autoscaler was there").to.deep.equal([]);
    for (const color of ["blue", "green"])
      await apps.deleteNamespacedDeployment({ name: `chatgpt-app-${color}`, namespace: test.namespace });
  });

  it("the smoke gate does not pass a color that has no ready pod", async () => {
    const message = await failureOf(smoke.create(green()));
    expect(message).to.contain("has no ready endpoint").and.contain("Live traffic stays on blue");
  });

  it("a failed gate is told to whoever the Secret for alerts names, and fails as before", async () => {
    const receiver = await startReceiver();
    const stringData = {
      "webhook-url": `${receiver.url}/hunter2`,
      "webhook-secret": "hunter2-hunter2-hunter2",
    };
    await test.cluster.core.createNamespacedSecret({
      namespace: test.namespace,
      body: { metadata: { name: "chatgpt-app-alerts" }, stringData },
    });
    const message = await failureOf(smoke.create(green()));
    await test.cluster.core.deleteNamespacedSecret({ namespace: test.namespace, name: "chatgpt-app-alerts" });
    await receiver.close();
    expect(message).to.contain("has no ready endpoint").and.contain("Live traffic stays on blue");
    expect(receiver.received.map(({ body }) => JSON.parse(body) as unknown))
      .to.have.length(1)
      .and.have.nested.property("[0].kind", "gateFailed");
    expect(await smoke.shows("alert gateFailed: webhook delivered")).to.equal(
      "alert gateFailed: webhook delivered",
    );
    expect(message + smoke.shown.join("\n")).not.to.contain("hunter2");
  });

  it("incidents that are open are kept in the cluster until a switch has resolved them", async () => {
    const receiver = await startReceiver();
    const tell = (alert: Alert) =>
      tellAll(
        test.cluster,
        [{ kind: "pagerDuty", routingKey: "key", baseUrl: receiver.url }],
        alert,
        () => undefined,
      );
    const open = () => readIncidents(test.cluster, "chatgpt-app");
    const { namespace } = test;
    await tell({ ...someAlerts.gateFailed, namespace });
    await tell({ ...someAlerts.rolledBack, namespace, from: { color: "green", image: "app:v3" } });
    expect(await open()).to.have.length(2);
    await tell({ ...someAlerts.switched, namespace });
    expect(await open()).to.deep.equal([]);
    await receiver.close();
  });
});
