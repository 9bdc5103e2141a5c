import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect } from "chai";
import { poll } from "@bluegreen/release";
import { readRelease } from "@bluegreen/release/state/record";
import { repositoryDir } from "../../local/paths";
import { loadController } from "../../local/stage";
import { killUpdate } from "../support/killUpdate";
import { failureOf, liveColor } from "../support/read";
import { makeStack, type TestStack } from "../../local/testing/testStack";
import { startUsers } from "../../local/testing/users";

const app = "chatgpt-app";

describe("A switch that nobody but the analysis controller analyzes, on a real cluster under load", function () {
  let test: TestStack;
  let controlled: { controllerImage: string };

  before(async () => {
    controlled = { controllerImage: await loadController() };
    test = await makeStack([
      { tag: "v1", release: "v1", fault: "none" },
      { tag: "v2", release: "v2", fault: "none" },
      { tag: "v2-errors", release: "v2", fault: "errors" },
    ]);
    await test.set({ analysis: { ...controlled, durationSeconds: 60, intervalSeconds: 2 } });
    await test.set({ activeColor: "blue", blueTag: "v1" });
    await test.stack.up();
  });
  after(() => test.remove());

  const controllerPods = async () => {
    const { items } = await test.cluster.core.listNamespacedPod({
      namespace: test.cluster.namespace,
      labelSelector: `app=${app}-analysis`,
    });
    return items.filter(({ metadata }) => metadata?.deletionTimestamp === undefined);
  };
  const analysisHolder = async () => {
    const lease = await test.cluster.coordination.readNamespacedLease({
      name: `${app}-analysis`,
      namespace: test.cluster.namespace,
    });
    return lease.spec?.holderIdentity ?? "";
  };
  const bluegreen = (...args: string[]) =>
    spawnSync(process.execPath, [join(repositoryDir, "cli/bluegreen.mjs"), ...args, "--stack", test.name], {
      cwd: repositoryDir,
      env: { ...process.env, ...test.env },
      encoding: "utf8",
    });

  it("is rolled back though its update was killed right after the flip", async () => {
    const users = await startUsers(test.cluster);
    await test.set({ activeColor: "green", greenTag: "v2-errors" });
    await killUpdate(test, async () => (await liveColor(test.cluster)) === "green");
    await poll(async () => ((await liveColor(test.cluster)) === "blue" ? true : undefined), {
      timeoutMs: 600_000,
    });
    await users.answeredBy("blue");
    const bad = users.seen.failures.length;
    await poll(() => Promise.resolve(users.seen.requests > 0 ? true : undefined), { timeoutMs: 300_000 });
    const { failures } = await users.stop();
    expect(failures.slice(bad), "once traffic is back").to.deep.equal([]);
    expect(
      failures.filter((failure) => failure.endsWith("by blue")),
      "of blue",
    ).to.deep.equal([]);
    await poll(
      async () => ((await readRelease(test.cluster, app))?.state === "rolledBack" ? true : undefined),
      { timeoutMs: 300_000 },
    );
  });

  it("is in the history, and refused as it is until it is unblocked", async () => {
    const { stdout, status } = bluegreen("history", "--json");
    expect(status).to.equal(0);
    const { history } = JSON.parse(stdout) as {
      history: { kind: string; who: string; evidence: string[] }[];
    };
    expect(history.map(({ kind }) => kind)).to.deep.equal(["switch", "switch", "rollback"]);
    expect(history.at(-1)?.who).to.contain("in the cluster");
    expect(await failureOf(test.stack.preview())).to.contain("was refused: it was rolled back");
    const cleared = bluegreen("unblock", "green");
    expect(cleared.stdout).to.contain("may serve traffic again");
    expect(cleared.status).to.equal(0);
    expect(bluegreen("unblock", "green").status, "nothing is marked any more").to.equal(1);
    await test.stack.preview();
  });

  it("is handed over to the controller when its update is over, and continues to be analyzed when the pod is deleted", async () => {
    await test.set({ greenTag: "v2", analysis: { ...controlled, durationSeconds: 8, intervalSeconds: 2 } });
    await test.stack.up();
    expect((await readRelease(test.cluster, app))?.state).to.equal("standby");
    const [first] = await poll(
      async () => ((await controllerPods()).length === 1 ? controllerPods() : undefined),
      {
        timeoutMs: 300_000,
      },
    );
    const name = first?.metadata?.name ?? "";
    await poll(async () => ((await analysisHolder()).startsWith(name) ? true : undefined), {
      timeoutMs: 300_000,
    });
    await test.cluster.core.deleteNamespacedPod({ name, namespace: test.cluster.namespace });
    const holder = await poll(
      async () => {
        const now = await analysisHolder();
        return now !== "" && !now.startsWith(name) ? now : undefined;
      },
      { timeoutMs: 600_000 },
    );
    expect(
      (await controllerPods())
        .map(({ metadata }) => metadata?.name ?? "")
        .some((pod) => holder.startsWith(pod)),
    ).to.equal(true);
    expect(await liveColor(test.cluster)).to.equal("green");
  });

  it("is rolled back by hand: traffic first, then config and state", async () => {
    const users = await startUsers(test.cluster);
    const { stdout, stderr, status } = bluegreen(
      "rollback",
      "--yes",
      "--traffic-only",
      "--reason",
      "a test of the night",
      "--json",
    );
    expect(stderr).to.equal("");
    expect(status).to.equal(0);
    const { from, to, seconds } = JSON.parse(stdout) as { from: string; to: string; seconds: number };
    console.log(`      traffic was back after ${seconds.toFixed(2)} s, checks included`);
    expect([from, to]).to.deep.equal(["green", "blue"]);
    await users.answeredBy("blue");
    expect((await users.stop()).failures).to.deep.equal([]);
    await test.set({ activeColor: "blue" });
    await test.stack.up();
    expect(Object.keys((await test.stack.up()).changes), "no difference is left").to.deep.equal(["same"]);
    expect(await liveColor(test.cluster)).to.equal("blue");
  });

  it("is not returned to what it was rolled back from, by whoever types the command a second time", async () => {
    const { stderr, status } = bluegreen("rollback", "--yes", "--traffic-only");
    expect(stderr)
      .to.contain("Traffic stays on blue: it has not come there from green")
      .and.contain("pulumi config set activeColor green && pulumi up");
    expect(status).to.equal(2);
    expect(await liveColor(test.cluster)).to.equal("blue");
  });

  it("asks before it moves anybody, and needs somebody to ask", async () => {
    const { stderr, status } = bluegreen("rollback");
    expect(stderr).to.contain("there is nobody to ask");
    expect(status).to.equal(2);
    expect(await liveColor(test.cluster)).to.equal("blue");
  });

  it("may do no more than it needs", async () => {
    const { status } = await test.cluster.config
      .makeApiClient((await import("@bluegreen/release/kubernetes/client")).AuthorizationV1Api)
      .createSubjectAccessReview({
        body: {
          spec: {
            user: `system:serviceaccount:${test.cluster.namespace}:${app}-analysis`,
            resourceAttributes: {
              namespace: test.cluster.namespace,
              verb: "get",
              resource: "secrets",
              name: "db-credentials",
            },
          },
        },
      });
    expect(status?.allowed).to.equal(false);
  });
});
