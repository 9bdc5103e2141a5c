import { once } from "node:events";
import { expect } from "chai";
import { names, poll, takeLease } from "@bluegreen/release";
import { readHistory } from "@bluegreen/release/state/history";
import { readRelease } from "@bluegreen/release/state/record";
import { moveTraffic, readGiven } from "@bluegreen/release/traffic/move";
import { openWatchingDashboard } from "../pages/support/openDashboard";
import { bluegreen, start } from "../support/bluegreen";
import { endKilled } from "../support/killUpdate";
import { liveColor } from "../support/read";
import { makeCertificate, makeRoutedStack, type RoutedStack } from "../routes/support/routedStack";

const app = "chatgpt-app";

describe("A shift at a real edge, under load", function () {
  let test: RoutedStack;
  before(async () => {
    test = await makeRoutedStack("traefik", [
      { tag: "v1", release: "v1", fault: "none" },
      { tag: "v2", release: "v2", fault: "none" },
      { tag: "v2-errors", release: "v2", fault: "errors" },
    ]);
    await test.set({ activeColor: "blue", blueTag: "v1" });
    await test.stack.up();
    await makeCertificate(test);
    await test.visitor.askUntil(({ color }) => color === "blue", "/widget");
  });
  after(() => test.remove());

  const given = async () => (await readGiven(test.cluster, app, "traefik"))?.weights;
  const untilShifted = () =>
    poll(async () => ((await given())?.green === 50 ? true : undefined), { timeoutMs: 600_000 });

  it("is refused where it makes no sense, and touches nothing", async () => {
    expect(
      (await bluegreen(test, "shift", "--to", "green", "--over", "10s", "--steps", "10")).said,
    ).to.contain("each step is analyzed for 4 to 3600 s, and this would be 1");
    expect((await bluegreen(test, "shift", "--to", "green", "--over", "soon")).said).to.contain(
      "a duration is 30m",
    );
    expect((await bluegreen(test, "shift", "--to", "red")).code).to.equal(2);
    const there = await bluegreen(test, "shift", "--to", "blue", "--json");
    expect([there.code, JSON.parse(there.out)]).to.deep.equal([0, { to: "blue", weight: 100 }]);
    expect(await given()).to.deep.equal({ blue: 100, green: 0 });
  });

  it("is on the dashboard when a watch says so, without waiting for a poll, whoever sets a canary weight", async () => {
    const { page, close } = await openWatchingDashboard(test);
    try {
      const shows = (weight: number) =>
        page
          .locator("[data-color=green]", { hasText: `${weight} % of traffic` })
          .waitFor({ timeout: 600_000 });
      await shows(0);
      for (const weight of [30, 0]) {
        const at = Date.now();
        await moveTraffic(test.cluster, app, "traefik", {
          weights: { blue: 100 - weight, green: weight },
          active: "blue",
        });
        await shows(weight);
        console.log(`      a canary weight: on the screen after ${Date.now() - at} ms`);
      }
    } finally {
      await close();
    }
  });

  it("rolls back all traffic from a version that fails on its canary weight, says why, and brings config in line", async () => {
    await test.set({
      greenTag: "v2-errors",
      analysis: { durationSeconds: 8, intervalSeconds: 1, failureThreshold: 2 },
    });
    const crowd = test.visitor.crowd();
    const { out, said, code } = await bluegreen(
      test,
      "shift",
      "--to",
      "green",
      "--over",
      "2m",
      "--steps",
      "2",
      "--json",
    );
    expect(code, said).to.equal(1);
    const ended = JSON.parse(out) as { weight: number; reason: string };
    expect(ended.weight).to.equal(0);
    expect(ended.reason).to.contain("points");
    await crowd.untilOnly("blue");
    await crowd.stop();
    expect(crowd.failures.length, "its canary traffic has seen the errors").to.be.greaterThan(0);
    expect(
      crowd.failures.filter((failure) => !failure.endsWith("by green")),
      "and nobody else",
    ).to.deep.equal([]);
    expect(await given()).to.deep.equal({ blue: 100, green: 0 });
    const again = await bluegreen(test, "shift", "--to", "green", "--over", "2m", "--steps", "2");
    expect(again.said, "the same image").to.contain("was refused: it was rolled back");
    expect(
      (await readHistory(test.cluster, app)).map(({ kind, weight }) => `${kind} ${weight}`),
    ).to.deep.equal(["switch 100", "shift 50", "rollback 50"]);
  });

  it("continues from where it was, when it was killed", async () => {
    await test.set({ greenTag: "v2", analysis: { durationSeconds: 4, intervalSeconds: 1 } });
    const crowd = test.visitor.crowd();
    const killed = start(test, { detached: true }, "shift", "--to", "green", "--over", "1h", "--steps", "2");
    // What nobody reads would stop it in the end.
    for (const output of [killed.stdout, killed.stderr]) output.resume();
    await untilShifted();
    const second = await bluegreen(test, "shift", "--to", "green");
    expect([second.code, second.said.includes("The shift was refused")], second.said).to.deep.equal([
      2,
      true,
    ]);
    const gone = once(killed, "exit");
    process.kill(-(killed.pid ?? 0), "SIGKILL");
    await gone;
    await endKilled(test);
    const locked = await bluegreen(test, "shift", "--to", "green", "--over", "20s", "--steps", "4");
    expect(
      [locked.code, locked.said.includes(`pulumi cancel --yes --stack ${test.name}`)],
      locked.said,
    ).to.deep.equal([2, true]);
    expect((await given())?.green, "the weights stay").to.equal(50);
    await test.stack.cancel();
    const { said, code } = await bluegreen(test, "shift", "--to", "green", "--over", "20s", "--steps", "4");
    expect(code, said).to.equal(0);
    expect(said)
      .to.contain("green has 50 % of traffic: the shift continues from there")
      .and.contain("green gets 75 %")
      .and.not.contain("green gets 25 %");
    await crowd.untilOnly("green");
    await crowd.stop();
    expect(crowd.failures).to.deep.equal([]);
    expect(await liveColor(test.cluster)).to.equal("green");
    expect(await given()).to.deep.equal({ blue: 0, green: 100 });
  });

  it("rolls back when somebody interrupts it, and says so", async () => {
    const crowd = test.visitor.crowd();
    const child = start(test, { detached: true }, "shift", "--to", "blue", "--over", "1h", "--steps", "2");
    child.stderr.resume();
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
    // The update lets a step that runs come to its end, and this one has half an hour.
    await poll(
      async () =>
        (await given())?.blue === 50 && (await readRelease(test.cluster, app))?.state === "analyzing"
          ? true
          : undefined,
      { timeoutMs: 600_000 },
    );
    process.kill(-(child.pid ?? 0), "SIGINT");
    const [code] = (await once(child, "close")) as [number | null];
    expect(code, said).to.equal(1);
    expect(said).to.contain("all traffic is on green again").and.contain("interrupted");
    await crowd.untilOnly("green");
    await crowd.stop();
    expect(crowd.failures).to.deep.equal([]);
  });

  it("is rolled back by the rollback command", async () => {
    // What was rolled back before is blocked, whoever did it.
    expect((await bluegreen(test, "unblock", "blue")).code).to.equal(0);
    await test.set({ canaryWeight: 50, canaryStepSeconds: 4 });
    await test.stack.up();
    expect(await given()).to.deep.equal({ blue: 50, green: 50 });
    const { said, code } = await bluegreen(test, "rollback", "--yes", "--reason", "a test");
    expect(code, said).to.equal(0);
    expect(said).to.contain("pulumi config rm canaryWeight");
    expect(await given()).to.deep.equal({ blue: 0, green: 100 });
  });

  it("ends where it is when somebody else shifts by now, as after a laptop's sleep", async () => {
    expect((await bluegreen(test, "unblock", "blue")).code).to.equal(0);
    const { coordination, namespace } = test.cluster;
    const child = start(test, {}, "shift", "--to", "blue", "--over", "20s", "--steps", "2");
    let said = "";
    for (const output of [child.stdout, child.stderr])
      output.setEncoding("utf8").on("data", (text: string) => (said += text));
    const ended = once(child, "close");
    await poll(async () => ((await given())?.blue === 50 ? true : undefined), { timeoutMs: 600_000 });
    const name = names.shiftLease(app);
    await coordination.deleteNamespacedLease({ name, namespace });
    const other = await takeLease(test.cluster, name, { holder: "a test's", seconds: 15, waitMs: 0 });
    if (!("held" in other)) throw new Error(`${other.heldBy} has the lease`);
    const [code] = (await ended) as [number | null];
    await other.held.release();
    expect(code, said).to.equal(2);
    expect(said).to.contain(`${name} of `).and.contain("was lost").and.not.contain("blue gets 100 %");
    expect(await given(), "traffic stays where the other one may have brought it").to.deep.equal({
      blue: 50,
      green: 50,
    });
  });
});
