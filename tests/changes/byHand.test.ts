import { expect } from "chai";
import { poll } from "@bluegreen/release";
import { attention } from "@bluegreen/release/releases/status";
import { readColors } from "@bluegreen/release/releases/colorStatus";
import { asJsonPatch, asMergePatch } from "@bluegreen/release/kubernetes/patch";
import { failureOf, imageOf, liveColor, podsOf } from "../support/read";
import { status } from "../unit/statuses";
import { makeStack, twoVersions, type TestStack } from "../../local/testing/testStack";
import { startUsers, type Users } from "../../local/testing/users";

/** What a person, or a team's own autoscaler, has done to the colors. Told in order. */
describe("What was done past the program, on a real cluster under load", function () {
  let test: TestStack;
  let users: Users;
  before(async () => {
    test = await makeStack(twoVersions);
    await test.set({ activeColor: "blue", blueTag: "v1", greenTag: "v2" });
    await test.stack.up();
  });
  after(() => test.remove());
  beforeEach(async () => {
    users = await startUsers(test.cluster);
  });
  afterEach(async () => {
    expect((await users.stop()).failures, "what users saw").to.deep.equal([]);
  });

  const inApp = (color: string) => ({ name: `chatgpt-app-${color}`, namespace: test.cluster.namespace });
  const scale = async (color: "blue" | "green", replicas: number) => {
    await test.cluster.apps.patchNamespacedDeploymentScale(
      { ...inApp(color), body: { spec: { replicas } } },
      asMergePatch,
    );
    await poll(
      async () => {
        const { status: now } = await test.cluster.apps.readNamespacedDeployment(inApp(color));
        return now?.readyReplicas === replicas && now.replicas === replicas ? true : undefined;
      },
      { timeoutMs: 600_000 },
    );
  };
  const setImage = (color: "blue" | "green", image: string) =>
    test.cluster.apps.patchNamespacedDeployment(
      {
        ...inApp(color),
        fieldManager: "kubectl-set",
        body: [{ op: "replace", path: "/spec/template/spec/containers/0/image", value: image }],
      },
      asJsonPatch,
    );
  const imageWith = (tag: string) => `${test.stage.imageRepository}:${tag}`;

  it("pods that the live color was given by hand stay, with a refresh and without", async () => {
    await scale("blue", 4);
    const pods = await podsOf(test.cluster, "blue");
    await test.set({ minReadySeconds: 2 });
    await test.stack.up();
    await test.stack.up({ refresh: true });
    expect(await podsOf(test.cluster, "blue")).to.deep.equal(pods);
    expect(await failureOf(switchTo("green")), "green has two").to.contain("BG-TOO-FEW-READY-PODS");
    await test.set({ activeColor: "blue" });
    await scale("green", 4);
  });

  it("an image that was set by hand is seen by status, refused by a switch, and put back by config", async () => {
    await setImage("green", imageWith("v1"));
    const colors = await readColors(test.cluster, "chatgpt-app", "blue", 0);
    expect(colors[1]?.changedImage).to.deep.include({ image: imageWith("v1"), applied: imageWith("v2") });
    expect(attention(status({ live: "blue", activeColor: "blue", colors })).join("\n")).to.contain(
      "green was changed by hand",
    );
    await test.set({ activeColor: "green" });
    for (const refused of [test.stack.preview(), test.stack.up()])
      expect(await failureOf(refused))
        .to.contain("BG-IMAGE-CHANGED")
        .and.contain(`mcp-server=${imageWith("v2")}`);
    expect(await liveColor(test.cluster)).to.equal("blue");
    await test.set({ activeColor: "blue" });
    await test.stack.up({ refresh: true });
    expect(await imageOf(test.cluster, "green")).to.equal(imageWith("v2"));
  });

  it("an image that was set by hand on the live color stays, unless config says that it may go", async () => {
    await setImage("blue", imageWith("v2"));
    await test.stack.up();
    for (const refused of [test.stack.preview({ refresh: true }), test.stack.up({ refresh: true })])
      expect(await failureOf(refused))
        .to.contain("BG-LIVE-IMAGE-CHANGED")
        .and.contain(imageWith("v2"))
        .and.contain(imageWith("v1"));
    expect(await imageOf(test.cluster, "blue")).to.equal(imageWith("v2"));
    await test.set({ allowInPlaceUpdate: true });
    await test.stack.up({ refresh: true });
    expect(await imageOf(test.cluster, "blue")).to.equal(imageWith("v1"));
    await test.set({ allowInPlaceUpdate: false });
  });

  it("a new tag for a color whose image was set by hand takes the field back, with an autoscaler too", async () => {
    const autoscaling = { minReplicas: 4, maxReplicas: 5, cpuPercent: 70 };
    await test.set({ autoscaling });
    await test.stack.up();
    await setImage("green", imageWith("v1"));
    await test.set({ green: { env: { LOG_LEVEL: "debug" } } });
    await test.stack.up();
    expect(await imageOf(test.cluster, "green")).to.equal(imageWith("v2"));
    await test.set({ autoscaling: { ...autoscaling, maxReplicas: 0 }, replicas: 4 });
    await test.stack.up();
  });

  it("a team's autoscaler of the live color stays, with its pods, through updates, a switch and the rollback", async () => {
    const { autoscaling } = test.cluster;
    await autoscaling.createNamespacedHorizontalPodAutoscaler({
      namespace: test.cluster.namespace,
      body: {
        metadata: { name: "chatgpt-app-blue" },
        spec: {
          scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "chatgpt-app-blue" },
          minReplicas: 4,
          maxReplicas: 6,
        },
      },
    });
    await test.set({ replicas: 3 });
    await test.stack.up({ refresh: true });
    expect(await podsOf(test.cluster, "blue")).to.have.length(4);
    expect(await podsOf(test.cluster, "green"), "that nobody else scales").to.have.length(3);
    await test.set({ replicas: 4 });
    await switchTo("green");
    // As an autoscaler of a color without load does.
    await autoscaling.patchNamespacedHorizontalPodAutoscaler(
      { ...inApp("blue"), body: { spec: { minReplicas: 1 } } },
      asMergePatch,
    );
    await scale("blue", 2);
    await switchTo("blue");
    expect(await liveColor(test.cluster)).to.equal("blue");
    const { spec } = await autoscaling.readNamespacedHorizontalPodAutoscaler(inApp("blue"));
    expect(spec).to.include({ minReplicas: 1, maxReplicas: 6 }).and.not.have.property("behavior");
  });

  async function switchTo(activeColor: "blue" | "green"): Promise<void> {
    await test.set({ activeColor });
    await test.stack.up();
  }
});
