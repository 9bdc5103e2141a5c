import { expect } from "chai";
import { podOf } from "@bluegreen/release/config/amounts";
import { poll } from "@bluegreen/release";
import { writeRelease } from "@bluegreen/release/state/record";
import { hold, scale } from "@bluegreen/release/capacity/scale";
import { makeNamespace, type TestNamespace } from "../support/testNamespace";
import { startStep, type RunningStep } from "./stepProvider";

const pod = podOf({
  containers: [{ requests: { cpu: "250m", memory: "256Mi" }, limits: { cpu: "500m", memory: "512Mi" } }],
  initContainers: [],
});

/** Colors whose pods never start: their sizes are what these steps are about. */
describe("The sizes of the colors, in Pulumi's provider process and on a real cluster", function () {
  let test: TestNamespace;
  let size: RunningStep;
  let reconcile: Omit<RunningStep, "beside" | "close">;
  let capacity: Omit<RunningStep, "beside" | "close">;

  before(async () => {
    test = await makeNamespace();
    size = await startStep("colorSize", { KUBECONFIG: test.stage.kubeconfig });
    reconcile = size.beside("sizeReconcile");
    capacity = size.beside("capacityGate");
    const { namespace, cluster } = test;
    const ports = [{ port: 80 }];
    await cluster.core.createNamespacedService({
      namespace,
      body: {
        metadata: { name: "chatgpt-app-service" },
        spec: { selector: { app: "chatgpt-app", version: "blue" }, ports },
      },
    });
    for (const [color, replicas] of [
      ["blue", 4],
      ["green", 0],
    ] as const) {
      const name = `chatgpt-app-${color}`;
      const labels = { app: "chatgpt-app", version: color };
      const template = {
        metadata: { labels, annotations: { "bluegreen.dev/pod-template-hash": "abc" } },
        spec: { containers: [{ name: "mcp-server", image: "nowhere.invalid/app:v1" }] },
      };
      await cluster.apps.createNamespacedDeployment({
        namespace,
        body: { metadata: { name }, spec: { replicas, selector: { matchLabels: labels }, template } },
      });
      const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name };
      await cluster.autoscaling.createNamespacedHorizontalPodAutoscaler({
        namespace,
        body: {
          metadata: { name, labels: { app: "chatgpt-app", "app.kubernetes.io/managed-by": "bluegreen" } },
          spec: { scaleTargetRef, minReplicas: 2, maxReplicas: 8 },
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
  const autoscalerOf = async (color: string) => {
    const { metadata, spec } = await test.cluster.autoscaling.readNamespacedHorizontalPodAutoscaler(
      at(color),
    );
    return {
      held: metadata?.annotations?.["bluegreen.dev/hold"],
      scaleDown: spec.behavior?.scaleDown?.selectPolicy,
    };
  };
  const point = async (version: string) => {
    const service = {
      metadata: { name: "chatgpt-app-service" },
      spec: { selector: { app: "chatgpt-app", version }, ports: [{ port: 80 }] },
    };
    await test.cluster.core.replaceNamespacedService({
      name: "chatgpt-app-service",
      namespace: test.namespace,
      body: service,
    });
  };
  const green = (part: object = {}) => ({
    ...test.where,
    color: "green",
    deployed: true,
    template: "abc",
    replicas: 2,
    maxReplicas: 8,
    active: true,
    ...part,
  });
  const reconciling = { activeColor: "green", standbyHours: 24 };

  it("begin at the fewest for a color that nobody switches to, whatever its autoscaler cannot do at zero", async () => {
    expect(await size.changes(green(), green({ active: false }))).to.equal("some");
    expect(await size.create(green({ active: false }))).to.deep.include({ asked: 2 });
    expect(await replicasOf("green")).to.equal(2);
    expect(await autoscalerOf("green")).to.deep.equal({ held: undefined, scaleDown: undefined });
    expect(await size.changes(green(), green({ active: false }))).to.equal("none");
  });

  it("are the live color's for the one that takes over, and stay", async () => {
    expect(await size.changes(green(), green())).to.equal("some");
    expect(await size.create(green())).to.deep.include({ asked: 4 });
    expect(await replicasOf("green")).to.equal(4);
    expect(await autoscalerOf("green")).to.deep.equal({ held: "4", scaleDown: "Disabled" });
    await size.shows("green gets 4 pods");
  });

  it("never fall by that", async () => {
    await scale(test.cluster, "chatgpt-app", "green", 7);
    expect(await size.create(green())).to.deep.include({ asked: 4 });
    expect(await replicasOf("green")).to.equal(7);
  });

  it("are kept for the standby within its time, and let go for whoever has traffic", async () => {
    await point("green");
    await hold(test.cluster, "chatgpt-app", "blue", 4);
    const served = (color: "blue" | "green") => ({ color, image: "nowhere.invalid/app:v1", template: "abc" });
    const release = (at: Date) =>
      writeRelease(test.cluster, "chatgpt-app", {
        id: "1",
        kind: "switch",
        weight: 100,
        to: served("green"),
        from: served("blue"),
        who: "test",
        why: "test",
        at: at.toISOString(),
        state: "standby",
        baseline: {
          observation: { pods: [], logs: { errors: 0, samples: [], cutPods: 0, unreadPods: 0 }, queries: [] },
        },
        contracts: { waiting: [] },
      });
    await release(new Date());
    const inputs = { ...test.where, ...reconciling };
    expect(await reconcile.changes(inputs, inputs)).to.equal("some");
    expect(await reconcile.create(inputs)).to.deep.include({ held: ["blue"] });
    expect(await autoscalerOf("green")).to.deep.equal({ held: undefined, scaleDown: undefined });
    expect(await autoscalerOf("blue")).to.deep.equal({ held: "4", scaleDown: "Disabled" });
    expect(await reconcile.changes(inputs, inputs)).to.equal("none");

    const back = { ...green({ color: "blue" }) };
    expect(
      await size.create(back),
      "as many as had all traffic, not the seven that green has",
    ).to.deep.include({ asked: 4 });

    await release(new Date(Date.now() - 25 * 3_600_000));
    expect(await reconcile.changes(inputs, inputs), "its time is over").to.equal("some");
    expect(await reconcile.create(inputs)).to.deep.include({ held: [] });
    expect(await autoscalerOf("blue")).to.deep.equal({ held: undefined, scaleDown: undefined });
    expect(await size.create(back), "whoever comes back later gets what users need now").to.deep.include({
      asked: 7,
    });
    await point("blue");
  });

  it("go to zero for a color without a tag", async () => {
    expect(await size.changes(green(), green({ deployed: false, active: false }))).to.equal("some");
    await size.create(green({ deployed: false, active: false }));
    expect(await replicasOf("green")).to.equal(0);
    const gone = green({ deployed: false, active: false });
    expect(await size.changes(gone, gone)).to.equal("none");
  });

  it("are config's again without an autoscaler, which is not taken from a live color that needs it", async () => {
    const inputs = (replicas: number) => ({
      ...test.where,
      activeColor: "blue",
      replicas,
      maxReplicas: 0,
      templates: { blue: "abc", green: "abc" },
      pod,
      quota: {},
      controller: false,
      budgets: true,
    });
    const [violation, ...others] = await capacity.check(inputs(6));
    expect(others).to.deep.equal([]);
    expect(violation?.reason)
      .to.contain("blue was refused: it serves traffic with 7 pods, and would be left with 6")
      .and.contain("pulumi config set replicas 7");
    expect(await capacity.check(inputs(7))).to.deep.equal([]);
    const fixed = green({ active: false, replicas: 3, maxReplicas: 0 });
    expect(await size.changes(fixed, fixed)).to.equal("some");
    await size.create(fixed);
    expect(await replicasOf("green")).to.equal(3);
    expect(await size.changes(fixed, fixed)).to.equal("none");
  });

  it("have to fit into every quota, those of a rolling update too; the rollback asks for the color that it returns traffic to alone", async () => {
    const { namespace, cluster } = test;
    await scale(cluster, "chatgpt-app", "blue", 3);
    await cluster.core.createNamespacedResourceQuota({
      namespace,
      body: { metadata: { name: "theirs" }, spec: { hard: { pods: "7" } } },
    });
    await poll(
      async () => {
        const [quota, deployment] = await Promise.all([
          cluster.core.readNamespacedResourceQuota({ name: "theirs", namespace }),
          cluster.apps.readNamespacedDeployment(at("blue")),
        ]);
        return quota.status?.used?.["pods"] === "6" && deployment.status?.replicas === 3 ? true : undefined;
      },
      { timeoutMs: 600_000 },
    );
    const check = (part: object) =>
      capacity.check({
        ...test.where,
        activeColor: "blue",
        replicas: 3,
        maxReplicas: 8,
        templates: { blue: "abc", green: "abc" },
        pod,
        quota: {},
        controller: false,
        budgets: true,
        ...part,
      });
    expect(await check({}), "everybody is there").to.deep.equal([]);
    expect(await check({ templates: { blue: "abc", green: "def" } }), "one of surge").to.deep.equal([]);
    const [violation] = await check({ replicas: 4 });
    expect(violation?.reason)
      .to.contain(
        `ResourceQuota ${namespace}/theirs has no room for 2 more pods: pods wanted 2, left 1 (6 of 7 are used)`,
      )
      .and.contain('{"pods":"8"}');
    expect(await check({ replicas: 4, templates: { blue: "abc", green: null } })).to.deep.equal([]);
    await point("green");
    expect(
      await check({ templates: { blue: "abc", green: "def" }, controller: true, replicas: 3 }),
      "traffic returns to blue, whatever becomes of green",
    ).to.deep.equal([]);
  });
});
