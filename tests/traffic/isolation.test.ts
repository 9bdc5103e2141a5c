import { expect } from "chai";
import { NetworkingV1Api, type V1NetworkPolicySpec } from "@bluegreen/release/kubernetes/client";
import { poll, type Color } from "@bluegreen/release";
import { rollback } from "@bluegreen/release/rollback/rollback";
import { scale } from "@bluegreen/release/capacity/scale";
import { failureOf, liveColor, podsOf } from "../support/read";
import { makeStack, twoVersions, type TestStack } from "../../local/testing/testStack";
import { startUsers, type Users } from "../../local/testing/users";

/**
 * Told in order: each test continues where the one before ended. The network of the local stage enforces no
 * policy.
 */
describe("Isolation, on a real cluster under load", function () {
  let test: TestStack;
  let users: Users;

  before(async () => {
    test = await makeStack(twoVersions);
    await test.set({ activeColor: "blue", blueTag: "v1" });
    await test.stack.up();
  });
  after(() => test.remove());

  beforeEach(async () => {
    users = await startUsers(test.cluster);
  });
  afterEach(async () => {
    await poll(() => Promise.resolve(users.seen.requests > 20 ? true : undefined), { timeoutMs: 300_000 });
    const { failures } = await users.stop();
    expect(failures, "what users saw").to.deep.equal([]);
  });

  const inApp = (name: string) => ({ name, namespace: test.cluster.namespace });
  const replicasOf = async (color: string) =>
    (await test.cluster.apps.readNamespacedDeployment(inApp(`chatgpt-app-${color}`))).spec?.replicas;
  const autoscalerOf = (color: string) =>
    test.cluster.autoscaling.readNamespacedHorizontalPodAutoscaler(inApp(`chatgpt-app-${color}`));
  const scaleDownOf = async (color: string) =>
    (await autoscalerOf(color)).spec.behavior?.scaleDown?.selectPolicy;
  const podsReach = (color: Color, count: number) =>
    poll(async () => ((await podsOf(test.cluster, color)).length === count ? true : undefined), {
      timeoutMs: 600_000,
    });

  it("pods run as the account of their color, without a token", async () => {
    const { items } = await test.cluster.core.listNamespacedPod({ namespace: test.cluster.namespace });
    expect(items).to.have.length(2);
    for (const { spec } of items) {
      expect(spec?.serviceAccountName).to.equal("chatgpt-app-blue");
      const mounted = (spec?.volumes ?? []).filter(({ projected, secret }) => projected ?? secret);
      expect(mounted, "no token is mounted").to.deep.equal([]);
    }
    const account = await test.cluster.core.readNamespacedServiceAccount(inApp("chatgpt-app-green"));
    expect(account.automountServiceAccountToken).to.equal(false);
  });

  it("the API server takes the policies, and each selects the pods of its color", async () => {
    const policies = (
      await test.cluster.config
        .makeApiClient(NetworkingV1Api)
        .listNamespacedNetworkPolicy({ namespace: test.cluster.namespace })
    ).items;
    expect(policies.map(({ metadata }) => metadata?.name)).to.have.members([
      "chatgpt-app-blue",
      "chatgpt-app-green",
      "chatgpt-app-preflight",
    ]);
    const pods = (await test.cluster.core.listNamespacedPod({ namespace: test.cluster.namespace })).items;
    const selected = ({ podSelector }: V1NetworkPolicySpec) =>
      pods
        .filter(({ metadata }) =>
          Object.entries(podSelector?.matchLabels ?? {}).every(
            ([key, value]) => metadata?.labels?.[key] === value,
          ),
        )
        .map(({ metadata }) => metadata?.name);
    for (const { metadata, spec } of policies) {
      if (spec === undefined) throw new Error("it has no spec");
      expect(selected(spec).sort(), metadata?.name).to.deep.equal(
        metadata?.name === "chatgpt-app-blue" ? await podsOf(test.cluster, "blue") : [],
      );
    }
  });

  it("a quota of somebody else's without room for the other color is refused, before anything moves", async () => {
    const { namespace } = test.cluster;
    await test.cluster.core.createNamespacedResourceQuota({
      namespace,
      body: { metadata: { name: "theirs" }, spec: { hard: { pods: "3", "requests.memory": "1Gi" } } },
    });
    await poll(
      async () =>
        (await test.cluster.core.readNamespacedResourceQuota(inApp("theirs"))).status?.used?.["pods"] === "2"
          ? true
          : undefined,
      { timeoutMs: 300_000 },
    );
    await test.set({ greenTag: "v2", activeColor: "green" });
    for (const work of [() => test.stack.preview(), () => test.stack.up()]) {
      const message = await failureOf(work());
      expect(message).to.contain(
        `ResourceQuota ${namespace}/theirs has no room for 2 more pods: pods wanted 2, left 1 (2 of 3 are used)`,
      );
      expect(message)
        .to.contain(
          `kubectl -n ${namespace} patch resourcequota theirs --type merge -p '{"spec":{"hard":{"pods":"4"}}}'`,
        )
        .and.not.contain("requests.memory wanted");
    }
    expect(await liveColor(test.cluster)).to.equal("blue");
    expect(await podsOf(test.cluster, "green")).to.deep.equal([]);
    await test.cluster.core.deleteNamespacedResourceQuota(inApp("theirs"));
  });

  it("a quota of its own has room for a release", async () => {
    await test.set({ activeColor: "blue", quota: { enabled: true } });
    await test.stack.up();
    const quota = await test.cluster.core.readNamespacedResourceQuota(inApp("chatgpt-app-quota"));
    // 2 + 2, 2 that drain, 1 of surge and a preflight pod.
    expect(quota.spec?.hard).to.deep.include({ pods: "8", "requests.cpu": "160m", "limits.memory": "2Gi" });
    expect(await podsOf(test.cluster, "green")).to.have.length(2);
    await test.set({ greenTag: "v1" });
    await test.stack.up();
    expect(await podsOf(test.cluster, "green")).to.have.length(2);
    await test.set({ greenTag: "v2", quota: { enabled: false } });
    await test.stack.up();
  });

  it("autoscalers come without a moment of fewer pods", async () => {
    const fewest: number[] = [];
    const watching = setInterval(() => {
      void replicasOf("blue").then(
        (replicas) => fewest.push(replicas ?? 0),
        () => undefined,
      );
    }, 50);
    await test.set({ autoscaling: { minReplicas: 2, maxReplicas: 6 }, greenTag: "v1" });
    await test.stack.up();
    clearInterval(watching);
    expect(Math.min(...fewest)).to.equal(2);
    expect((await autoscalerOf("blue")).spec).to.deep.include({ minReplicas: 2, maxReplicas: 6 });
    expect(await scaleDownOf("blue"), "it may take pods").to.equal(undefined);
    await test.set({ greenTag: "v2" });
    await test.stack.up();
    expect(Object.keys((await test.stack.up()).changes)).to.deep.equal(["same"]);
  });

  it("the color that takes over has as many pods as the live one before traffic moves, and the standby keeps them", async () => {
    // As an autoscaler does it: past the Deployment, by its scale.
    await scale(test.cluster, "chatgpt-app", "blue", 4);
    await podsReach("blue", 4);
    let ready = 0;
    const flip = poll(
      async () => {
        if ((await liveColor(test.cluster)) !== "green") return undefined;
        ready =
          (await test.cluster.apps.readNamespacedDeployment(inApp("chatgpt-app-green"))).status
            ?.readyReplicas ?? 0;
        return true;
      },
      { timeoutMs: 600_000, intervalMs: 20 },
    );
    await test.set({ activeColor: "green" });
    const said: string[] = [];
    await Promise.all([test.stack.up({ onOutput: (line) => said.push(line) }), flip]);
    expect(ready, "at the flip").to.equal(4);
    expect(said.join("\n")).to.contain("green gets 4 pods, as many as it needs to take over");
    expect(await replicasOf("blue")).to.equal(4);
    expect(await scaleDownOf("blue"), "the standby").to.equal("Disabled");
    expect(await scaleDownOf("green"), "who has traffic").to.equal(undefined);
    expect((await autoscalerOf("blue")).metadata?.annotations).to.deep.include({ "bluegreen.dev/hold": "4" });
  });

  it("a version that has driven its autoscaler high returns to as many pods as had all traffic before", async () => {
    await scale(test.cluster, "chatgpt-app", "green", 6);
    await podsReach("green", 6);
    await test.set({ activeColor: "blue" });
    await test.stack.up();
    expect(await liveColor(test.cluster)).to.equal("blue");
    expect(await replicasOf("blue")).to.equal(4);
    expect(await scaleDownOf("blue"), "who has traffic").to.equal(undefined);
    expect(await scaleDownOf("green"), "what traffic was taken from is no standby").to.equal(undefined);
  });

  it("a live color beyond the most that config allows is refused in preview", async () => {
    await test.set({ activeColor: "green", autoscaling: { minReplicas: 2, maxReplicas: 3 } });
    const message = await failureOf(test.stack.preview());
    expect(message)
      .to.contain("it would have 3 ready pods, blue has 4")
      .and.contain("pulumi config set --path autoscaling.maxReplicas 4");
    await test.set({ activeColor: "blue", autoscaling: { minReplicas: 2, maxReplicas: 6 } });
  });

  it("by hand, traffic returns to a standby that has shrunk once it is as large as that needs", async () => {
    await test.set({ activeColor: "green" });
    await test.stack.up();
    // Its window is over, and its autoscaler has made it smaller.
    const { name, namespace } = inApp("chatgpt-app-blue");
    const autoscaler = await autoscalerOf("blue");
    delete autoscaler.metadata?.annotations?.["bluegreen.dev/hold"];
    await test.cluster.autoscaling.replaceNamespacedHorizontalPodAutoscaler({
      name,
      namespace,
      body: autoscaler,
    });
    await scale(test.cluster, "chatgpt-app", "blue", 2);
    await podsReach("blue", 2);
    const serving = (await replicasOf("green")) ?? 0;
    expect(serving).to.be.greaterThan(2);
    const said: string[] = [];
    const where = {
      context: test.stage.context,
      namespace,
      namespacePerColor: false,
      app: "chatgpt-app",
    };
    await rollback(
      where,
      {
        from: "green",
        why: "test",
        strategy: "shared",
        databaseSecret: "db-credentials",
        runIn: "update",
        settings: { route: null, database: null, connectionDrainSeconds: 30 },
        fewer: false,
      },
      (line) => said.push(line),
    );
    expect(said.join("\n")).to.contain(`of the ${serving} pods that blue needs are ready`);
    expect(await liveColor(test.cluster)).to.equal("blue");
    expect(await replicasOf("blue")).to.equal(serving);
    await test.set({ activeColor: "blue" });
    await test.stack.up();
  });

  it("the autoscaler of a live color that needs more pods than config has is not taken away", async () => {
    const serving = (await replicasOf("blue")) ?? 0;
    expect(serving).to.be.greaterThan(2);
    await test.stack.removeConfig(["autoscaling"]);
    expect(await failureOf(test.stack.preview()))
      .to.contain(`it serves traffic with ${serving} pods, and would be left with 2`)
      .and.contain(`pulumi config set replicas ${serving}`);
    await test.set({ replicas: serving });
    await test.stack.up();
    expect(await replicasOf("blue")).to.equal(serving);
    expect(await replicasOf("green")).to.equal(serving);
    expect(
      (
        await test.cluster.autoscaling.listNamespacedHorizontalPodAutoscaler({
          namespace: test.cluster.namespace,
        })
      ).items,
    ).to.deep.equal([]);
    expect(Object.keys((await test.stack.up()).changes)).to.deep.equal(["same"]);
    await test.set({ replicas: 2 });
    await test.stack.up();
    expect([await replicasOf("blue"), await replicasOf("green")], "by config again").to.deep.equal([2, 2]);
  });
});
