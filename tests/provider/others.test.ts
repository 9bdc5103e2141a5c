import { expect } from "chai";
import { PolicyV1Api, type V2HorizontalPodAutoscaler } from "@bluegreen/release/kubernetes/client";
import { scale } from "@bluegreen/release/capacity/scale";
import { makeNamespace, type TestNamespace } from "../support/testNamespace";
import { startStep, type RunningStep } from "./stepProvider";

/** Autoscalers and budgets of a team's own, and pods that a person has added. Pods never start here. */
describe("What others have made, in Pulumi's provider process and on a real cluster", function () {
  let test: TestNamespace;
  let size: RunningStep;
  let capacity: Omit<RunningStep, "beside" | "close">;
  let rollout: Omit<RunningStep, "beside" | "close">;

  before(async () => {
    test = await makeNamespace();
    size = await startStep("colorSize", { KUBECONFIG: test.stage.kubeconfig });
    capacity = size.beside("capacityGate");
    rollout = size.beside("rollout");
    const { namespace, cluster } = test;
    await cluster.core.createNamespacedService({
      namespace,
      body: {
        metadata: { name: "chatgpt-app-service" },
        spec: { selector: { app: "chatgpt-app", version: "blue" }, ports: [{ port: 80 }] },
      },
    });
    for (const color of ["blue", "green"]) {
      const labels = { app: "chatgpt-app", version: color };
      await cluster.apps.createNamespacedDeployment({
        namespace,
        body: {
          metadata: { name: `chatgpt-app-${color}` },
          spec: {
            replicas: 2,
            selector: { matchLabels: labels },
            template: {
              metadata: { labels, annotations: { "bluegreen.dev/pod-template-hash": "abc" } },
              spec: { containers: [{ name: "mcp-server", image: "nowhere.invalid/app:v1" }] },
            },
          },
        },
      });
    }
  });
  after(async () => {
    await size.close();
    await test.remove();
  });

  const at = (color: string) => ({ name: `chatgpt-app-${color}`, namespace: test.namespace });
  const replicasOf = async (color: string) =>
    (await test.cluster.apps.readNamespacedDeployment(at(color))).spec?.replicas;
  const blue = (part: object = {}) => ({
    ...test.where,
    color: "blue",
    deployed: true,
    template: "abc",
    replicas: 2,
    maxReplicas: 0,
    active: true,
    ...part,
  });
  const asked = (part: object = {}) => ({
    ...test.where,
    activeColor: "blue",
    replicas: 2,
    maxReplicas: 0,
    templates: { blue: "abc", green: "abc" },
    resources: { requests: { cpu: "250m", memory: "256Mi" }, limits: {} },
    quota: {},
    controller: false,
    budgets: true,
    ...part,
  });

  it("pods that a person has added stay, unless config asks for fewer than it did", async () => {
    await scale(test.cluster, "chatgpt-app", "blue", 5);
    expect(await size.changes(blue(), blue())).to.equal("none");
    expect(await size.changes(blue(), blue({ replicas: 3 })), "config asks for more").to.equal("some");
    await size.create(blue({ replicas: 3 }));
    expect(await replicasOf("blue")).to.equal(5);
    await size.update(blue({ replicas: 3 }), blue({ replicas: 4 }));
    expect(await replicasOf("blue")).to.equal(5);
    await size.update(blue({ replicas: 4 }), blue({ replicas: 3 }));
    expect(await replicasOf("blue"), "config asks for fewer").to.equal(3);
    await size.create(blue({ replicas: 4 }));
    expect(await replicasOf("blue")).to.equal(4);
  });

  it("an autoscaler of a team's own, named as the Deployment, is neither deleted nor worked against", async () => {
    const { autoscaling } = test.cluster;
    const body: V2HorizontalPodAutoscaler = {
      metadata: { name: "chatgpt-app-blue" },
      spec: {
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "chatgpt-app-blue" },
        minReplicas: 1,
        maxReplicas: 6,
      },
    };
    await autoscaling.createNamespacedHorizontalPodAutoscaler({ namespace: test.namespace, body });
    expect(await size.changes(blue(), blue())).to.equal("none");
    expect(await capacity.check(asked()), "four pods, and config says 2").to.deep.equal([]);
    await capacity.shows(
      `blue keeps the number of pods that HorizontalPodAutoscaler ${test.namespace}/chatgpt-app-blue gives it`,
    );
    for (const replicas of [1, 3]) {
      await size.update(blue(), blue({ replicas }));
      expect(await replicasOf("blue"), "whatever config says").to.equal(4);
    }
    await scale(test.cluster, "chatgpt-app", "blue", 1);
    await size.create(blue());
    expect(await replicasOf("blue")).to.equal(1);
    expect(await size.changes(blue(), blue()), "fewer than config").to.equal("none");
    await autoscaling.readNamespacedHorizontalPodAutoscaler(at("blue"));
  });

  it("one of the program's own beside it is refused, with both ways out", async () => {
    const [violation, ...others] = await capacity.check(asked({ maxReplicas: 8 }));
    expect(others).to.deep.equal([]);
    expect(violation?.reason)
      .to.contain("BG-AUTOSCALER-NOT-OURS")
      .and.contain("pulumi config set --path autoscaling.maxReplicas 0")
      .and.contain(`kubectl -n ${test.namespace} delete hpa chatgpt-app-blue`);
  });

  it("a color that it scales is raised by it before a switch, and KEDA's by its ScaledObject", async () => {
    await scale(test.cluster, "chatgpt-app", "blue", 4);
    const { autoscaling } = test.cluster;
    const spec = {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "chatgpt-app-green" },
      minReplicas: 1,
      maxReplicas: 6,
    };
    await autoscaling.createNamespacedHorizontalPodAutoscaler({
      namespace: test.namespace,
      body: {
        metadata: {
          name: "keda-hpa-queue",
          labels: { "scaledobject.keda.sh/name": "queue", "app.kubernetes.io/managed-by": "keda-operator" },
        },
        spec,
      },
    });
    const [violation] = await rollout.check({
      ...test.where,
      color: "green",
      template: "abc",
      replicas: 4,
      maxReplicas: 0,
      active: true,
      budgetSeconds: 2,
    });
    expect(violation?.reason)
      .to.contain("would have 2 ready pods, blue has 4")
      .and.contain(
        `kubectl -n ${test.namespace} patch scaledobject queue --type merge -p '{"spec":{"minReplicaCount":4}}'`,
      );
  });

  it("a budget with the name of a color's is refused, and one that selects its pods is said", async () => {
    const policy = test.cluster.config.makeApiClient(PolicyV1Api);
    const make = (name: string) =>
      policy.createNamespacedPodDisruptionBudget({
        namespace: test.namespace,
        body: {
          metadata: { name },
          spec: { minAvailable: 1, selector: { matchLabels: { app: "chatgpt-app" } } },
        },
      });
    await make("theirs");
    expect(await capacity.check(asked())).to.deep.equal([]);
    await capacity.shows(`PodDisruptionBudget ${test.namespace}/theirs, which this`);
    await make("chatgpt-app-blue");
    const [violation, ...others] = await capacity.check(asked());
    expect(others).to.deep.equal([]);
    expect(violation?.reason).to.contain("BG-BUDGET-NOT-OURS").and.contain("podDisruptionBudget false");
    expect(await capacity.check(asked({ budgets: false }))).to.deep.equal([]);
  });
});
