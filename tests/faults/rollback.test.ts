import { expect } from "chai";
import { poll } from "@bluegreen/release";
import { liveColor, podsOf } from "../support/look";
import { makeStack, type TestStack } from "../support/testStack";
import { startUsers } from "../support/users";

/** The night: a version passed its gates, took all traffic, and then began to die. */
describe("A rollback from a version that crashes after the switch, on a real cluster", function () {
  this.timeout(240_000);
  let test: TestStack;
  before(async () => {
    test = await makeStack([
      { tag: "v1", release: "v1", fault: "none" },
      { tag: "v2-late-crash", release: "v2", fault: "late-crash" },
    ]);
  });
  after(() => test.remove());

  const greenReady = async () => {
    const green = await test.cluster.apps.readNamespacedDeployment({ name: "chatgpt-app-green", namespace: test.cluster.namespace });
    return green.status?.readyReplicas ?? 0;
  };

  it("moves traffic back with the previous config, and does not fail over the color that it left", async () => {
    // The watch would take users back by itself: this is the way back by hand.
    await test.set({ activeColor: "blue", blueTag: "v1", watch: { seconds: 0 } });
    await test.stack.up();
    await test.set({ activeColor: "green", greenTag: "v2-late-crash" });
    await test.stack.up();
    expect(await liveColor(test.cluster)).to.equal("green");
    // It crashes at requests, whose failures are not the subject: those after the rollback are.
    const before = await startUsers(test.cluster);
    await poll(async () => ((await greenReady()) < 2 ? true : undefined), { timeoutMs: 90_000 });
    await before.stop();

    await test.set({ activeColor: "blue" });
    await test.stack.up();
    expect(await liveColor(test.cluster)).to.equal("blue");
    const users = await startUsers(test.cluster);
    await users.answeredBy("blue");
    await poll(() => Promise.resolve(users.seen.requests > 80 ? true : undefined), { timeoutMs: 20_000 });
    expect((await users.stop()).failures).to.deep.equal([]);
    expect(await podsOf(test.cluster, "green"), "the color it left is kept for a look").to.have.length(2);
  });
});
