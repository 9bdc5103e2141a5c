import { expect } from "chai";
import { poll } from "@bluegreen/release";
import { startStage } from "../../local/stage";
import { startCrowd, type Crowd } from "../support/crowd";
import { liveColor } from "../support/read";
import { makeStack, twoVersions, type TestStack } from "../../local/testing/testStack";

const [fewest, most] = [2, 4];

/** By what metrics-server really measures. Told in order: each test continues where the one before ended. */
describe("Autoscalers of both colors under load, on a real cluster", function () {
  let test: TestStack;
  let crowd: Crowd;

  before(async function () {
    // metrics-server is built by whoever is first.
    this.timeout(40 * 60_000);
    await startStage({ metrics: true });
    test = await makeStack(twoVersions);
    await test.set({
      activeColor: "blue",
      blueTag: "v1",
      resources: { requests: { cpu: "50m", memory: "64Mi" }, limits: { cpu: "500m", memory: "256Mi" } },
      autoscaling: { minReplicas: fewest, maxReplicas: most, cpuPercent: 70 },
    });
    await test.stack.up();
    crowd = await startCrowd(test.cluster, { busy: 200 });
  });
  after(async () => {
    await crowd.stop();
    await test.remove();
  });

  const inApp = (color: string) => ({ name: `chatgpt-app-${color}`, namespace: test.cluster.namespace });
  const readyPods = async (color: string) =>
    (await test.cluster.apps.readNamespacedDeployment(inApp(color))).status?.readyReplicas ?? 0;

  it("the live color's gives it the pods that its load takes", async () => {
    await poll(async () => ((await readyPods("blue")) === most ? true : undefined), { timeoutMs: 600_000 });
    const { status } = await test.cluster.autoscaling.readNamespacedHorizontalPodAutoscaler(inApp("blue"));
    expect(
      status?.currentMetrics?.[0]?.resource?.current.averageUtilization,
      "percent of the CPU that it asks for",
    ).to.be.greaterThan(0);
  });

  it("the color that takes over, and has no load of its own, has as many before traffic moves", async () => {
    let ready = 0;
    const flip = poll(
      async () => {
        if ((await liveColor(test.cluster)) !== "green") return undefined;
        ready = await readyPods("green");
        return true;
      },
      { timeoutMs: 600_000, intervalMs: 20 },
    );
    await test.set({ greenTag: "v2", activeColor: "green" });
    await Promise.all([test.stack.up(), flip]);
    expect(ready, "at the flip").to.equal(most);
    await crowd.allOn("green", ["busy"], 60_000);
  });

  it("the standby's leaves it all of them, though it has no load any more", async () => {
    // Held: its autoscaler has polled, and may take none.
    await poll(
      async () => {
        const { status, spec } = await test.cluster.autoscaling.readNamespacedHorizontalPodAutoscaler(
          inApp("blue"),
        );
        const used = status?.currentMetrics?.[0]?.resource?.current.averageUtilization ?? 100;
        return used < 70 &&
          (status?.desiredReplicas ?? 0) === most &&
          spec.behavior?.scaleDown?.selectPolicy === "Disabled"
          ? true
          : undefined;
      },
      { timeoutMs: 600_000 },
    );
    expect(await readyPods("blue")).to.equal(most);
    expect((await crowd.tell("report")).failures, "what users saw").to.deep.equal([]);
  });
});
