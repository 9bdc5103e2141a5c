import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect } from "chai";
import { poll } from "@bluegreen/release";
import { readHistory } from "@bluegreen/release/state/history";
import { everyCase } from "../support/everyCase";
import { failureOf, liveColor, podsOf } from "../support/read";
import { pulumi } from "../support/pulumiCommand";
import { startReceiver, type HttpReceiver } from "../support/receiver";
import type { AppBuild } from "../../local/images/app";
import { makeStack, smallAndQuick, type TestStack } from "../../local/testing/testStack";
import { startUsers } from "../../local/testing/users";

/** Versions that pass every gate, get all traffic, and only then show what is wrong with them. */
const everyFault = [
  {
    tag: "v2-errors",
    fault: "errors",
    what: "fails a third of its requests",
    seen: /failed with 5xx|errors in the logs/,
  },
  { tag: "v2-slow", fault: "slow", what: "is slow", seen: /are allowed/ },
  {
    tag: "v2-slower",
    fault: "slow",
    what: "is slower than the old one, and within the fixed limit",
    seen: /requests take longer than before the switch/,
    limits: { latencySeconds: 3600, slowerThanBefore: "count" },
  },
  {
    tag: "v2-leak",
    fault: "leak",
    what: "runs out of memory",
    seen: /OOMKilled|ran out of memory|no pod is ready|all \d+ pods are crashing/,
  },
  {
    tag: "v2-late-crash",
    fault: "late-crash",
    what: "crashes",
    seen: /restart|no pod is ready|all \d+ pods are crashing/,
  },
] satisfies { tag: string; fault: AppBuild["fault"]; what: string; seen: RegExp; limits?: object }[];

const analysis = { durationSeconds: 90, intervalSeconds: 2, latencySeconds: 1 };

/** What is wrong with the others is read from other figures, by the same analysis, which has unit tests of each. */
const faults = everyFault.filter(({ fault }) => everyCase || ["errors", "late-crash"].includes(fault));

describe("A version that goes wrong once it has traffic, on a real cluster under load", function () {
  let test: TestStack;
  let receiver: HttpReceiver;

  before(async () => {
    receiver = await startReceiver();
    test = await makeStack([
      { tag: "v1", release: "v1", fault: "none" },
      { tag: "v2", release: "v2", fault: "none" },
      ...faults.map(({ tag, fault }) => ({ tag, release: "v2" as const, fault })),
    ]);
    await test.set({
      analysis,
      resources: { ...smallAndQuick.resources, limits: { cpu: "500m", memory: "160Mi" } },
    });
    await test.stack.setConfig({
      alerts: { value: { webhookUrl: receiver.url, webhookSecret: "a secret of the test" }, secret: true },
    });
    await test.set({ activeColor: "blue", blueTag: "v1" });
    await test.stack.up();
  });
  after(async () => {
    await test.remove();
    await receiver.close();
  });

  const told = () => receiver.received.map(({ body }) => (JSON.parse(body) as { kind: string }).kind);

  for (const { tag, what, seen, limits } of faults) {
    it(`${what}: traffic is rolled back, and the update fails with what was seen`, async () => {
      const users = await startUsers(test.cluster);
      await test.set({ activeColor: "green", greenTag: tag, analysis: { ...analysis, ...limits } });
      const error = await failureOf(test.stack.up());
      expect(error).to.contain("was rolled back: traffic is on blue again").and.match(seen);
      expect(await liveColor(test.cluster)).to.equal("blue");
      await users.answeredBy("blue");
      const bad = users.seen.failures.length;
      await poll(() => Promise.resolve(users.seen.requests > 0 ? true : undefined), { timeoutMs: 300_000 });
      const { failures, colors } = await users.stop();
      expect([...colors]).to.have.members(["blue", "green"]);
      expect(failures.slice(bad), "once traffic is back").to.deep.equal([]);
      expect(
        failures.filter((failure) => failure.endsWith("by blue")),
        "of blue",
      ).to.deep.equal([]);
      expect(told().slice(-1)).to.deep.equal(["rolledBack"]);

      // The version is marked: in preview already.
      expect(await failureOf(test.stack.preview()))
        .to.contain(`(${test.stage.imageRepository}:${tag}) was refused: it was rolled back`)
        .and.contain("unblock green");
    });
  }

  it("leaves nothing to do but the previous config, which the color that crashes does not keep from being applied", async () => {
    await test.set({ activeColor: "blue" });
    await test.stack.up();
    expect(Object.keys((await test.stack.up()).changes), "no difference is left").to.deep.equal(["same"]);
    expect(await liveColor(test.cluster)).to.equal("blue");
    expect(await podsOf(test.cluster, "green"), "the color it left is kept to be inspected").to.have.length(
      2,
    );
  });

  it("gives way to an image that is well, which stays, whatever the clock of the runner says", async () => {
    await test.set({
      activeColor: "green",
      greenTag: "v2",
      // Time for several samples: one of a busy machine may find no answer in time, which is no data.
      analysis: { durationSeconds: 20, intervalSeconds: 2 },
    });
    const users = await startUsers(test.cluster);
    const update = pulumi(
      test,
      { NODE_OPTIONS: `--require ${join(__dirname, "../support/skewedClock.cjs")}` },
      "up",
      "--yes",
      "--stack",
      test.name,
    );
    const [said, code] = await Promise.all([
      text(update.stdout),
      once(update, "exit").then(([ended]) => ended as number | null),
    ]);
    expect(code, said).to.equal(0);
    const [last] = (await readHistory(test.cluster, "chatgpt-app")).slice(-1);
    expect(
      Math.abs(Date.parse(last?.at ?? "") - Date.now()),
      "the switch's time, which is the API server's",
    ).to.be.lessThan(3_600_000);
    expect((await users.stop()).failures).to.deep.equal([]);
    expect(await liveColor(test.cluster)).to.equal("green");
    expect(said, said).to.match(
      /analysis of green .* requests, 0\.0 % errors, p99 .* 2\/2 pods ready · score 0 of 10/,
    );
    expect(told().slice(-1)).to.deep.equal(["switched"]);
  });

  if (everyCase)
    it("stays, and that is said loudly, when the other color is no better", async () => {
      await test.set({
        activeColor: "blue",
        blueTag: "v2-errors",
        analysis: { durationSeconds: 40, intervalSeconds: 1 },
      });
      const users = await startUsers(test.cluster);
      const ended = failureOf(test.stack.up());
      await poll(async () => ((await liveColor(test.cluster)) === "blue" ? true : undefined), {
        timeoutMs: 600_000,
        intervalMs: 50,
      });
      const green = { name: "chatgpt-app-green", namespace: test.cluster.namespace };
      const { apps } = test.cluster;
      const scale = async (replicas: number) => {
        await apps.replaceNamespacedDeploymentScale({
          ...green,
          body: { metadata: green, spec: { replicas } },
        });
      };
      await scale(0);
      expect(await ended).to.contain("NOTHING WAS SWITCHED: traffic is still on blue");
      expect(await liveColor(test.cluster)).to.equal("blue");
      expect(told()).to.include("gateFailed");
      await users.stop();

      // By hand, once there is somewhere to go.
      await scale(2);
      await test.set({ activeColor: "green" });
      await test.stack.up();
      expect(await liveColor(test.cluster)).to.equal("green");
    });

  it("stands in the history with what was seen, both ways", async () => {
    const history = await readHistory(test.cluster, "chatgpt-app");
    // The first release, a switch and a rollback for each fault, and the switch that stayed; then, among all
    // cases, one that had to be undone by hand.
    expect(history.map(({ kind }) => kind)).to.deep.equal([
      "switch",
      ...faults.flatMap(() => ["switch", "rollback"]),
      "switch",
      ...(everyCase ? ["switch", "rollback"] : []),
    ]);
    for (const { kind, from, to, evidence, why } of history
      .slice(0, 1 + 2 * faults.length)
      .filter((entry) => entry.kind === "rollback")) {
      expect([kind, from?.color, to.color]).to.deep.equal(["rollback", "green", "blue"]);
      expect([why, ...evidence].join(" ")).to.have.length.greaterThan(20);
    }
  });
});
