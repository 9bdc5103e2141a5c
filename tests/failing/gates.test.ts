import { expect } from "chai";
import { poll } from "@bluegreen/release";
import { failureOf, imageOf, liveColor, podsOf } from "../support/read";
import { makeStack, secretEnvOf, wellAndRefused, type TestStack } from "../../local/testing/testStack";
import { startUsers, type Users } from "../../local/testing/users";

/**
 * What goes wrong in a release. In each case users notice nothing; each update begins where the one before
 * was stopped, and the last one succeeds.
 */
describe("A release that its gates stop, on a real cluster under load", function () {
  let test: TestStack;
  let users: Users;
  let bluePods: string[];

  before(async () => {
    test = await makeStack(wellAndRefused);
    // A version that crashes a second after its start is not to pass by that second.
    await test.set({ activeColor: "blue", blueTag: "v1", minReadySeconds: 2 });
    await test.stack.up();
    bluePods = await podsOf(test.cluster, "blue");
  });
  after(() => test.remove());

  beforeEach(async () => {
    users = await startUsers(test.cluster);
  });
  afterEach(async () => {
    const { failures, requests } = await users.stop();
    expect(requests).to.be.greaterThan(20);
    expect(failures, "what users saw").to.deep.equal([]);
  });

  /** Blue serves traffic with the very pods it had. */
  const blueIsUntouched = async () => {
    expect(await liveColor(test.cluster)).to.equal("blue");
    expect(await podsOf(test.cluster, "blue")).to.deep.equal(bluePods);
    expect([...users.seen.colors]).to.deep.equal(["blue"]);
  };

  it("a smoke gate that fails stops the switch and names the failing tests", async () => {
    await test.set({ greenTag: "v2-smoke", activeColor: "green" });
    const message = await failureOf(test.stack.up());
    expect(message)
      .to.contain("The smoke gate of green (v2-smoke) failed")
      .and.contain("✗ MCP server executes the tool");
    expect(message).to.contain("Live traffic stays on blue");
    await blueIsUntouched();
    expect(await failureOf(test.stack.up()), "a second try meets the same gate").to.contain(
      "smoke gate of green",
    );
    await blueIsUntouched();
  });

  it("an image that cannot be pulled is named", async () => {
    await test.set({ greenTag: "no-such-tag", activeColor: "green" });
    const message = await failureOf(test.stack.up());
    expect(message)
      .to.match(/ErrImagePull|ImagePullBackOff/)
      .and.contain("no-such-tag")
      .and.contain("greenTag");
    expect(message).to.contain("Live traffic stays on blue");
    await blueIsUntouched();
  });

  it("a version that crash-loops never gets traffic", async () => {
    await test.set({ greenTag: "v2-crash", activeColor: "green" });
    const message = await failureOf(test.stack.up());
    expect(message)
      .to.contain("The green color does not start")
      .and.contain("CrashLoop")
      .and.contain("last exit code 1")
      .and.contain("fault build crash: the process ends now");
    expect(message).to.contain("Live traffic stays on blue");
    await blueIsUntouched();
  });

  it("a missing Secret is named with the command that makes it", async () => {
    // Blue keeps its key, by another setting; green looks for the one that somebody has made.
    await test.stack.setConfig({
      blue: { value: { secretEnv: { OPENAI_API_KEY: test.secrets.openaiApiKey } }, secret: true },
      secretEnv: { value: { TOKEN: test.secrets.token }, secret: true },
    });
    const message = await failureOf(test.stack.up());
    expect(message)
      .to.contain('secret "openai-credentials" not found')
      .and.contain("kubectl -n")
      .and.contain("create secret generic");
    await blueIsUntouched();
    await test.stack.setConfig({ secretEnv: secretEnvOf(test.secrets) });
    await test.stack.removeConfig(["blue"]);
  });

  it("the version that works goes out on green after all, and blue stays live", async () => {
    await test.set({ activeColor: "blue", greenTag: "v2" });
    await test.stack.up();
    expect(await imageOf(test.cluster, "green")).to.match(/:v2$/);
    expect(await podsOf(test.cluster, "green")).to.have.length(2);
    await blueIsUntouched();
  });

  it("an idle color with less capacity than the live one may not take over", async () => {
    const { apps } = test.cluster;
    const scale = (replicas: number) =>
      apps.replaceNamespacedDeploymentScale({
        name: "chatgpt-app-blue",
        namespace: test.cluster.namespace,
        body: {
          metadata: { name: "chatgpt-app-blue", namespace: test.cluster.namespace },
          spec: { replicas },
        },
      });
    await scale(3);
    try {
      await test.set({ activeColor: "green" });
      for (const work of [test.stack.preview(), test.stack.up()]) {
        expect(await failureOf(work)).to.contain(
          "The switch to green was refused: it would have 2 ready pods, blue has 3",
        );
      }
      expect(await liveColor(test.cluster)).to.equal("blue");
    } finally {
      await scale(2);
      await test.set({ activeColor: "blue" });
    }
    await poll(async () => ((await podsOf(test.cluster, "blue")).length === 2 ? true : undefined), {
      timeoutMs: 300_000,
    });
    bluePods = await podsOf(test.cluster, "blue");
  });
});
