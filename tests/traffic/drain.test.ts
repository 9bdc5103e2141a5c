import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect } from "chai";
import { poll } from "@bluegreen/release";
import { askPods, findDrainPods } from "@bluegreen/release/drain/pods";
import { readDrain } from "@bluegreen/release/drain/step";
import { repositoryDir } from "../../local/paths";
import { lastOver, startCrowd, type Crowd } from "../support/crowd";
import type { CrowdOptions } from "../support/crowdClients";
import { killUpdate } from "../support/killUpdate";
import { failureOf, liveColor, podsOf } from "../support/read";
import { makeStack, smallAndQuick, type TestStack } from "../../local/testing/testStack";
import { startUsers } from "../../local/testing/users";

const app = "chatgpt-app";

describe("A switch under clients that keep their connections, on a real cluster", function () {
  let test: TestStack;
  let crowd: Crowd | undefined;

  before(async () => {
    test = await makeStack([
      { tag: "v1", release: "v1", fault: "none" },
      { tag: "v2", release: "v2", fault: "none" },
      { tag: "v2-errors", release: "v2", fault: "errors" },
    ]);
    // Nothing but a drain ends a connection here.
    await test.set({
      env: {
        ...smallAndQuick.env,
        REDIS_URL: test.stage.redis.url,
        CONNECTION_MAX_AGE_SECONDS: "3600",
      },
    });
    await test.set({ activeColor: "blue", blueTag: "v1", greenTag: "v2" });
    await test.stack.up();
  });
  after(() => test.remove());
  afterEach(async () => {
    await crowd?.stop();
    crowd = undefined;
  });

  const gather = async (options: Partial<CrowdOptions>): Promise<Crowd> =>
    (crowd = await startCrowd(test.cluster, options));
  const drainOf = () => readDrain(test.cluster, app);
  const isDraining = async () => (await drainOf())?.over === false;
  const statesOf = async (color: "blue" | "green") => {
    const signal = AbortSignal.timeout(20_000);
    const { pods } = await findDrainPods(test.cluster, { app, color }, signal);
    return askPods(test.cluster, pods, signal, () => undefined);
  };

  /**
   * Switches; idle clients rest from the moment traffic moves. @returns what the update said, and when that was
   */
  const up = async (): Promise<{ said: string; movedAt: number }> => {
    const before = await liveColor(test.cluster);
    const said: string[] = [];
    let isOver = false;
    const moving = poll(
      async () => (isOver || (await liveColor(test.cluster)) !== before ? Date.now() : undefined),
      { timeoutMs: 600_000, intervalMs: 20 },
    ).then(async (movedAt) => {
      await crowd?.tell("rest");
      return movedAt;
    });
    await test.stack.up({ onOutput: (line) => said.push(line) }).finally(() => {
      isOver = true;
    });
    return { said: said.join("\n"), movedAt: await moving };
  };

  it("500 streams and 100 kept connections: nobody is cut in mid-message, and all are on the new color within the budget", async () => {
    const timeoutSeconds = 20;
    const all = await gather({ streams: 500, busy: 80, idle: 20 });
    const pods = await podsOf(test.cluster, "blue");
    await test.set({ activeColor: "green", connectionDrain: { timeoutSeconds } });
    const { said, movedAt } = await up();
    await all.tell("ask");
    const { clients, answers, failures } = await all.allOn("green", ["streams", "busy", "idle"], 30_000);
    expect(failures).to.deep.equal([]);
    expect(said).to.match(
      /draining blue 0:\d\d of 0:20 · \d+ connections, \d+ of them streams, on [12] pods?/,
    );
    expect(said).to.match(/blue is drained, after [\d.]+ s: no connection is left/);
    const { until = "" } = (await drainOf()) ?? {};
    const begunAt = Date.parse(until) - timeoutSeconds * 1000;
    const [streams, busy] = [lastOver(clients, "streams", begunAt), lastOver(clients, "busy", begunAt)];
    expect(
      Number(/blue is drained, after ([\d.]+) s/.exec(said)?.[1]),
      "idle connections go in the last third",
    ).to.be.greaterThan((timeoutSeconds * 2) / 3);
    console.log(
      `      ${answers} answers and events, none failed; the drain began ${((begunAt - movedAt) / 1000).toFixed(1)} s after the switch; until the last client was on green it took ${streams.toFixed(1)} s for 500 streams, ${busy.toFixed(1)} s for 80 kept connections in use; ${/blue is drained.*/.exec(said)?.[0] ?? ""}`,
    );
    // What config promises: the budget itself, of which streams take half.
    expect(Math.max(streams, busy)).to.be.lessThan(timeoutSeconds);
    expect((await statesOf("blue")).map((state) => state?.connections)).to.deep.equal([0, 0]);
    expect(await podsOf(test.cluster, "blue"), "the standby stays").to.deep.equal(pods);
    expect(Object.keys((await test.stack.up()).changes), "once for each switch").to.deep.equal(["same"]);
  });

  it("whose update is killed in the middle of the drain: the next one continues, and then no more", async () => {
    const all = await gather({ streams: 20, busy: 10, idle: 5 });
    await test.set({ activeColor: "blue", connectionDrain: { timeoutSeconds: 15 } });
    await killUpdate(test, isDraining);
    expect(await drainOf()).to.include({ color: "green", over: false });
    const { said } = await up();
    expect(said).to.match(/green is drained, after [\d.]+ s: no connection is left/);
    await all.tell("ask");
    expect((await all.allOn("blue", ["streams", "busy", "idle"], 30_000)).failures).to.deep.equal([]);
    expect(Object.keys((await test.stack.up()).changes)).to.deep.equal(["same"]);
  });

  it("with a budget that is too short: that is said, and nobody is cut", async () => {
    const all = await gather({ busy: 5, slow: 2 });
    await test.set({ activeColor: "green", connectionDrain: { timeoutSeconds: 2 } });
    const { said } = await up();
    expect(said)
      .to.match(
        /blue is not drained: after \d[\d.]* s, 2 connections, 0 of them streams, on [12] pods? are left\. Nobody cuts them/,
      )
      .and.contain("--path connectionDrain.timeoutSeconds 4");
    await all.tell("finish");
    const { failures } = await all.allOn("blue", ["slow"], 10_000);
    expect(failures).to.deep.equal([]);
  });

  it("that is rolled back by hand in the middle of the drain: all traffic is back, and none is moved away again", async () => {
    await test.set({ activeColor: "blue", connectionDrain: { timeoutSeconds: 5 } });
    await test.stack.up();
    const all = await gather({ streams: 60, busy: 20, idle: 5 });
    await test.set({ activeColor: "green", connectionDrain: { timeoutSeconds: 120 } });
    const ended = failureOf(test.stack.up());
    await poll(
      async () =>
        (await all.tell("report")).clients.some(({ kind, color }) => kind === "streams" && color === "green")
          ? true
          : undefined,
      { timeoutMs: 600_000 },
    );
    const back = spawnSync(
      process.execPath,
      [join(repositoryDir, "cli/bluegreen.mjs"), "rollback", "--yes", "--traffic-only", "--stack", test.name],
      { cwd: repositoryDir, env: { ...process.env, ...test.env }, encoding: "utf8" },
    );
    const begun = performance.now();
    expect(await ended).to.contain("The drain of blue ended: somebody has taken traffic from green");
    expect(back.status, back.stderr).to.equal(0);
    expect((performance.now() - begun) / 1000, "it does not wait for the budget").to.be.lessThan(60);
    expect((await statesOf("blue")).map((state) => state?.draining)).to.deep.equal([false, false]);
    expect(
      (await statesOf("green")).map((state) => state?.draining),
      "the color they were taken from",
    ).to.deep.equal([true, true]);
    await all.allOn("blue", ["streams", "busy"], 120_000);
    await all.tell("ask");
    expect((await all.allOn("blue", ["idle"], 30_000)).failures).to.deep.equal([]);
    await test.set({ activeColor: "blue" });
    await test.stack.up();
    expect(Object.keys((await test.stack.up()).changes), "no difference is left").to.deep.equal(["same"]);
  });

  it("that the analysis rolls back does not wait for the drain", async () => {
    const timeoutSeconds = 900;
    await test.set({
      greenTag: "v2-errors",
      connectionDrain: { timeoutSeconds },
      analysis: { durationSeconds: 90, intervalSeconds: 1 },
    });
    await test.stack.up();
    const all = await gather({ slow: 1 });
    const users = await startUsers(test.cluster);
    await test.set({ activeColor: "green" });
    const error = await failureOf(test.stack.up());
    expect(error).to.contain("was rolled back: traffic is on blue again");
    expect(await drainOf(), "clients of green are drained").to.include({ color: "green", over: true });
    expect((await statesOf("blue")).map((state) => state?.draining)).to.deep.equal([false, false]);
    await users.answeredBy("blue");
    await users.stop();
    await all.tell("finish");
    expect(
      (await all.allOn("blue", ["slow"], 10_000)).failures,
      "a request that was open all the time",
    ).to.deep.equal([]);
  });

  it("from pods that do not say what is open waits only until they answer nobody, which their metrics say", async () => {
    await test.set({
      activeColor: "blue",
      greenTag: "v1",
      connectionDrain: { timeoutSeconds: 900, port: 0 },
      analysis: { durationSeconds: 4, intervalSeconds: 1 },
      allowInPlaceUpdate: true,
    });
    await test.stack.up();
    await test.set({ activeColor: "green" });
    expect((await up()).said)
      .to.contain("2 of 2 pods of blue do not say what is open on them")
      .and.contain("blue answered no request in 5 s: clients have left it");
    expect(await liveColor(test.cluster)).to.equal("green");
  });
});
