import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect } from "chai";
import { poll } from "@bluegreen/release";
import { repositoryDir } from "../../local/paths";
import { killProcesses } from "../../local/system/processes";
import { liveColor, podsOf } from "../support/look";
import { makeStack, type TestStack } from "../support/testStack";
import { startUsers, type Users } from "../support/users";

/** `kill -9` in the middle of a release. Users notice nothing, and the next `up` ends it. */
describe("A release whose update is killed, on a real cluster under load", function () {
  this.timeout(240_000);
  let test: TestStack;
  let users: Users;

  before(async () => {
    test = await makeStack([
      { tag: "v1", release: "v1", fault: "none" },
      { tag: "v2", release: "v2", fault: "none" },
    ]);
    console.log(`      engine: ${test.engine.name}`);
    await test.set({ activeColor: "blue", blueTag: "v1" });
    await test.stack.up();
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

  for (const moment of [
    { what: "while green rolls out", reached: async () => (await podsOf(test.cluster, "green")).length > 0 },
    { what: "while the smoke suite runs", reached: async () => (await greenReady()) === 2 },
    { what: "right after the flip", reached: async () => (await liveColor(test.cluster)) === "green" },
  ]) {
    it(`${moment.what}: users notice nothing, and the next update ends it`, async () => {
      await test.set({ activeColor: "blue" });
      await test.stack.removeConfig(["greenTag"]);
      await test.stack.up();
      await test.set({ activeColor: "green", greenTag: "v2" });
      await killedUpdate(moment.reached);
      expect(["blue", "green"]).to.include(await liveColor(test.cluster));
      await test.stack.up();
      expect(await liveColor(test.cluster)).to.equal("green");
      expect(await podsOf(test.cluster, "green")).to.have.length(2);
      expect(Object.keys((await test.stack.up()).changes), "no difference is left").to.deep.equal(["same"]);
      await test.set({ activeColor: "blue" });
      await test.stack.up();
      await users.answeredBy("blue");
    });
  }

  const greenReady = async () => {
    const green = await test.cluster.apps.readNamespacedDeployment({ name: "chatgpt-app-green", namespace: test.cluster.namespace });
    return green.status?.readyReplicas ?? 0;
  };

  /** Starts `up` as a person would, and kills it with everything it started once `reached` is true. */
  async function killedUpdate(reached: () => Promise<boolean>): Promise<void> {
    const child = pulumi("up", "--yes", "--stack", test.name);
    const exit = once(child, "exit");
    let ended = false;
    void exit.then(() => { ended = true; });
    await poll(
      async () => {
        if (ended) throw new Error("the update ended before it could be killed");
        return (await reached()) ? true : undefined;
      },
      { timeoutMs: 120_000, intervalMs: 20 },
    );
    // The whole process group: nothing of it gets to clean up.
    process.kill(-(child.pid ?? 0), "SIGKILL");
    await exit;
    // The real CLI puts its plugins into groups of their own, where they outlive it.
    await killProcesses((_args, environment) => environment.includes(`PULUMI_BACKEND_URL=${test.env["PULUMI_BACKEND_URL"] ?? ""}`));
    // A killed update leaves the state locked. The stand-in sees that the owner is dead; the real CLI wants to be told.
    const cancel = pulumi("cancel", "--yes", "--stack", test.name);
    await once(cancel, "exit");
  }

  function pulumi(...args: string[]) {
    const command = ["-r", "ts-node/register/transpile-only", join(repositoryDir, "local/engine/cli.ts"), ...args];
    return spawn(process.execPath, command, { cwd: repositoryDir, env: { ...process.env, ...test.env }, stdio: "ignore", detached: true });
  }
});
