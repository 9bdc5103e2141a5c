import { expect } from "chai";
import { otherColor, poll, type Color } from "@bluegreen/release";
import { readRelease } from "@bluegreen/release/state/record";
import { startStage } from "../../local/stage";
import { killComponent, ownStageDir } from "../stage/support/stageUnderTest";
import { liveColor } from "../support/read";
import { makeStack, twoVersions, type TestStack } from "../../local/testing/testStack";
import { startUsers, type Users } from "../../local/testing/users";

const app = "chatgpt-app";

/** On a stage of its own: what falls over here would take other tests with it. */
describe("A switch while the cluster itself falls over", function () {
  let test: TestStack;
  let users: Users;
  let removeStage: () => Promise<void>;

  before(async () => {
    removeStage = await ownStageDir();
    await startStage();
    test = await makeStack(twoVersions);
    await test.set({ activeColor: "blue", blueTag: "v1" });
    await test.stack.up();
    await test.set({ analysis: { durationSeconds: 16, intervalSeconds: 2 } });
  });
  after(async () => {
    await test.remove();
    await removeStage();
  });
  beforeEach(async () => {
    users = await startUsers(test.cluster);
  });

  /**
   * Begins a switch to the other color, with an image that is new there: a rollback would not be analyzed.
   * @returns how it ends: with an error, or none
   */
  const begin = async (tag: string): Promise<{ to: Color; ended: Promise<string | undefined> }> => {
    const live = await liveColor(test.cluster);
    const to = otherColor(live === "green" ? "green" : "blue");
    await test.set({ activeColor: to, [`${to}Tag`]: tag });
    const ended = test.stack.up().then(
      () => undefined,
      (error: unknown) => String(error),
    );
    return { to, ended };
  };
  const reached = (state: string, to: Color) =>
    poll(
      async () => {
        // What cannot be asked has not reached it.
        const release = await readRelease(test.cluster, app).catch(() => undefined);
        return release?.to.color === to && release.state === state ? true : undefined;
      },
      { timeoutMs: 600_000, intervalMs: 20 },
    );

  it("comes to its end though the API server is killed as traffic is about to move", async () => {
    const { to, ended } = await begin("v2");
    await reached("approved", to);
    await killComponent("kube-apiserver");
    await startStage();
    // The update may have failed at its first request to a server that was not there; the next one continues.
    const error = await ended;
    if (error !== undefined) await test.stack.up();
    expect(await liveColor(test.cluster)).to.equal(to);
    expect((await users.stop()).failures).to.deep.equal([]);
    expect(Object.keys((await test.stack.up()).changes), "no difference is left").to.deep.equal(["same"]);
  });

  it("continues to be analyzed while the kubelet restarts", async () => {
    const { to, ended } = await begin("v2");
    await reached("analyzing", to);
    await killComponent("kubelet");
    await startStage();
    expect(await ended).to.equal(undefined);
    expect(await liveColor(test.cluster)).to.equal(to);
    expect((await users.stop()).failures).to.deep.equal([]);
  });

  it("does not leave users without a color when the database restarts during the analysis", async () => {
    const { to, ended } = await begin("v1");
    await reached("analyzing", to);
    await killComponent("postgres");
    await startStage();
    await ended;
    // Whatever was decided meanwhile: one color serves traffic, and answers.
    const now = await liveColor(test.cluster);
    await users.answeredBy(now ?? "none", 30_000);
    await test.set({ activeColor: now });
    await test.stack.up();
    expect(Object.keys((await test.stack.up()).changes), "no difference is left").to.deep.equal(["same"]);
    await users.stop();
  });
});
