import { expect } from "chai";
import { killUpdate } from "../support/killUpdate";
import { failureOf, imageOf, liveColor, podsOf } from "../support/read";
import { makeStack, wellAndRefused, type TestStack } from "../../local/testing/testStack";
import { startUsers, type Users } from "../../local/testing/users";

/**
 * `allowInPlaceUpdate`: pods that serve traffic change in place, and users meet nothing that has not passed the
 * gates.
 */
describe("A change of the live color, on a real cluster under load", function () {
  let test: TestStack;
  let users: Users;
  let bluePods: string[];
  before(async () => {
    test = await makeStack(wellAndRefused);
    await test.set({ activeColor: "blue", blueTag: "v1", allowInPlaceUpdate: true });
    await test.stack.up();
  });
  after(() => test.remove());

  beforeEach(async () => {
    users = await startUsers(test.cluster);
    bluePods = await podsOf(test.cluster, "blue");
  });
  afterEach(async () => {
    const { failures, requests, colors } = await users.stop();
    expect(requests).to.be.greaterThan(5);
    expect(failures, "what users saw").to.deep.equal([]);
    expect([...colors]).to.deep.equal(["blue"]);
  });

  const preflightPods = async () =>
    (
      await test.cluster.core.listNamespacedPod({
        namespace: test.cluster.namespace,
        labelSelector: "bluegreen.dev/preflight=chatgpt-app",
      })
    ).items;
  const changedBy = async () =>
    (await test.stack.preview()).steps.filter(({ op }) => op !== "same").map(({ name }) => name);
  const blueIsUntouched = async (tag: string) => {
    expect(await liveColor(test.cluster)).to.equal("blue");
    expect(await imageOf(test.cluster, "blue")).to.match(new RegExp(`:${tag}$`));
    expect(await podsOf(test.cluster, "blue")).to.deep.equal(bluePods);
    // One that has been deleted is there for as long as its server takes to end.
    const left = (await preflightPods()).filter(({ metadata }) => metadata?.deletionTimestamp === undefined);
    expect(left).to.deep.equal([]);
  };

  it("is refused when it fails the smoke suite, and no pod of it has served anybody", async () => {
    await test.set({ blueTag: "v2-smoke" });
    for (const attempt of ["first", "second"]) {
      const message = await failureOf(test.stack.up());
      expect(message, attempt).to.contain(
        "The change of blue, which serves traffic, was refused before it reached users",
      );
      expect(message, attempt)
        .to.contain("The smoke gate of blue (v2-smoke) failed")
        .and.contain("✗ MCP server executes the tool");
      expect(message, attempt).to.contain("Live traffic stays on blue");
      await blueIsUntouched("v1");
    }
  });

  it("is refused when it does not start, for the reason that a rollout would give", async () => {
    await test.set({ blueTag: "v2-crash" });
    const message = await failureOf(test.stack.up());
    expect(message)
      .to.contain("The blue color does not start: pod chatgpt-app-blue-preflight, CrashLoop")
      .and.contain("last exit code 1");
    expect(message, "its logs are gone").to.contain("put v2-crash on green").and.not.contain("kubectl -n");
    await blueIsUntouched("v1");
  });

  it("that is killed in its preflight pod leaves no pod for long: the next update removes it, whether it changes anything or not", async () => {
    await test.set({ blueTag: "v2" });
    const running = async () => (await preflightPods()).some(({ status }) => status?.phase === "Running");
    await killUpdate(test, running);
    const [left] = await preflightPods();
    expect(left?.metadata?.labels).to.deep.equal({ "bluegreen.dev/preflight": "chatgpt-app" });
    expect(left?.spec?.activeDeadlineSeconds, "it ends by itself").to.equal(90 + 60 + 60);
    expect(await podsOf(test.cluster, "blue")).to.deep.equal(bluePods);
    await test.set({ blueTag: "v1" });
    await test.stack.removeConfig(["allowInPlaceUpdate"]);
    expect(await changedBy())
      .to.include("chatgpt-app-preflight")
      .and.not.include("chatgpt-app-blue");
    await test.stack.up();
    await blueIsUntouched("v1");
    expect(await changedBy()).to.deep.equal([]);
  });

  it("that was killed in its preflight pod continues with the next update, and rolls out without a failed request", async () => {
    await test.set({ blueTag: "v2", allowInPlaceUpdate: true });
    await killUpdate(test, async () => (await preflightPods()).length > 0);
    expect(await changedBy()).to.include("chatgpt-app-preflight");
    await test.stack.up();
    expect(await imageOf(test.cluster, "blue")).to.match(/:v2$/);
    expect(await podsOf(test.cluster, "blue"))
      .to.have.length(2)
      .and.not.include.members(bluePods.slice(0, 1));
    expect(await preflightPods()).to.deep.equal([]);
    expect(Object.keys((await test.stack.up()).changes), "no difference is left").to.deep.equal(["same"]);
  });

  it("has no preflight pod where the color is not live, or nothing of it changes", async () => {
    await test.set({ greenTag: "v1" });
    expect(await changedBy())
      .to.include("chatgpt-app-green")
      .and.not.include("chatgpt-app-preflight");
    await test.set({ replicas: 3 });
    expect(await changedBy())
      .to.include("chatgpt-app-blue-size")
      .and.not.include("chatgpt-app-preflight");
    await test.set({ replicas: 2 });
    await test.stack.removeConfig(["greenTag"]);
    await users.answeredBy("blue");
  });
});
