import { expect } from "chai";
import { judge, judgeLook, judgeReading, type Finding, type ScoredFinding } from "@bluegreen/release/watch/judge";
import type { Look } from "@bluegreen/release/watch/look";
import type { Baseline } from "@bluegreen/release/watch/observe";
import type { PodReading, Reading } from "@bluegreen/release/watch/reading";
import { describeInterval } from "@bluegreen/release/watch/summary";
import { counters, limits, pod, reading } from "./watchReadings";

const quiet = reading([pod()]);
const findings = (now: Reading, { before = quiet, usual, within = limits }: { before?: Reading; usual?: Baseline["usual"]; within?: typeof limits } = {}) =>
  judgeReading(within, { reading: quiet, ...(usual && { usual }) }, before, now);
const points = (...args: Parameters<typeof findings>) => findings(...args).map(({ what, points: weight }) => [what, weight]);
const used = (traffic: Parameters<typeof counters>[0]) => reading([pod({ counters: counters(traffic) })]);
const killed = { reason: "OOMKilled", exitCode: 137 };
const failed = { reason: "Error", exitCode: 1 };

describe("A reading", () => {
  it("finds nothing where nothing has changed, and nothing in a healthy busy minute", () => {
    expect(findings(quiet)).to.deep.equal([]);
    expect(findings(used({ requests: 1200, serverErrors: 4 }))).to.deep.equal([]);
  });

  it("counts each restart since the reading before once", () => {
    const before = reading([pod({ restarts: 3, lastEnd: failed })]);
    expect(points(before, { before })).to.deep.equal([]);
    expect(points(reading([pod({ restarts: 5, lastEnd: failed })]), { before })).to.deep.equal([["restarts", 2]]);
    expect(findings(reading([pod({ restarts: 5, lastEnd: failed })]), { before })[0]?.text).to.equal("2 restarts: chatgpt-app-green-a (Error, exit code 1)");
  });

  it("counts the restarts of a pod that was not there before", () => {
    expect(points(reading([pod(), pod({ name: "new", restarts: 1 })]))).to.deep.equal([["restarts", 1]]);
  });

  it("counts a kill for lack of memory three times, and each pod's other restarts once", () => {
    const now = reading([pod({ restarts: 3, lastEnd: killed }), pod({ name: "b", restarts: 1, lastEnd: killed })]);
    expect(points(now, { before: reading([pod(), pod({ name: "b" })]) })).to.deep.equal([["oomKills", 6], ["restarts", 2]]);
  });

  it("counts a pod that is not ready from the second time in a row on", () => {
    const now = reading([pod({ ready: false }), pod({ name: "b", ready: false })]);
    expect(points(now)).to.deep.equal([]);
    expect(points(now, { before: now })).to.deep.equal([["notReady", 2]]);
    expect(points(now, { before: reading([pod({ ready: false }), pod({ name: "b" })]) })).to.deep.equal([["notReady", 1]]);
  });

  it("counts errors in logs one each when there are more than the limit", () => {
    const logs = (errors: number) => reading([pod()], { logs: { errors, samples: ["a: boom", "b: bang"], cutPods: 0, unreadPods: 0 } });
    expect(points(logs(5))).to.deep.equal([]);
    expect(findings(logs(6))).to.deep.equal([{ what: "logErrors", points: 6, text: "6 errors in the logs: a: boom | b: bang" }]);
  });

  it("counts 5xx one each beyond 5 %, and never fewer than five", () => {
    expect(points(used({ requests: 100, serverErrors: 5 }))).to.deep.equal([]);
    expect(points(used({ requests: 4, serverErrors: 4 }))).to.deep.equal([]);
    expect(points(used({ requests: 100, serverErrors: 6 }))).to.deep.equal([["serverErrors", 6]]);
    expect(findings(used({ requests: 100, serverErrors: 6 }))[0]?.text).to.equal("6 of 100 requests failed with 5xx, 6.0 %; 5.0 % are allowed");
  });

  it("allows three times the errors that are usual, when enough requests say what is usual", () => {
    const now = used({ requests: 100, serverErrors: 25 });
    const usual = { pods: 1, measuredPods: 1, requests: 1000, serverErrors: 100 };
    expect(points(now, { usual })).to.deep.equal([]);
    expect(points(used({ requests: 100, serverErrors: 31 }), { usual })).to.deep.equal([["serverErrors", 31]]);
    expect(points(now, { usual: { ...usual, requests: 90, serverErrors: 30 } })).to.deep.equal([["serverErrors", 25]]);
  });

  it("counts an interval three times whose average or 99th percentile is over the limit, and once for both", () => {
    expect(points(used({ requests: 20, each: 6 }))).to.deep.equal([["latency", 3]]);
    expect(points(used({ requests: 500, each: 6 }))).to.deep.equal([["latency", 3]]);
    const tail = reading([pod({ counters: counters({ requests: 980 }) }), pod({ name: "slow", counters: counters({ requests: 20, each: 8 }) })]);
    expect(findings(tail)).to.deep.equal([{ what: "latency", points: 3, text: "p99 7.5 s over 1000 requests; 5 s are allowed" }]);
  });

  it("does not call a version slow for one slow request among few", () => {
    expect(points(used({ requests: 1, each: 30 }))).to.deep.equal([]);
    const one = reading([pod({ counters: counters({ requests: 60 }) }), pod({ name: "slow", counters: counters({ requests: 1, each: 9 }) })]);
    expect(points(one)).to.deep.equal([]);
  });

  it("counts a Prometheus query beyond its bound and a web hook that says no three times each", () => {
    const queries = [{ name: "queue", max: 100, value: 101 }, { name: "lag", max: 5, value: 5 }, { name: "gone", max: 1, noData: "no answer within 5 s" }];
    expect(findings(reading([pod()], { queries, opinion: { healthy: false, reason: "orders fell" } }))).to.deep.equal([
      { what: "query", points: 3, text: "query queue gives 101; 100 is allowed" },
      { what: "webhook", points: 3, text: "the web hook says no: orders fell" },
    ]);
  });

  it("holds nothing against a version that could not be asked: no metrics, no answer of query or hook", () => {
    const silent = reading([pod({ answered: false })], { queries: [{ name: "gone", max: 1, noData: "x" }], opinion: { noData: "x" }, logs: { errors: 0, samples: [], cutPods: 1, unreadPods: 1 } });
    expect(findings(silent)).to.deep.equal([]);
    expect(points(reading([pod()], { opinion: { healthy: true } }))).to.deep.equal([]);
  });

  it("names three pods of many", () => {
    const many = (restarts: number): PodReading[] => Array.from({ length: 12 }, (_, index) => pod({ name: `p${index}`, restarts, lastEnd: failed }));
    expect(findings(reading(many(1)), { before: reading(many(0)) })[0]?.text).to.equal("12 restarts: p0 (Error, exit code 1), p1 (Error, exit code 1), p2 (Error, exit code 1) and 9 more");
  });
});

describe("The score", () => {
  const finding = (weight: number): Finding => ({ what: "restarts", points: weight, text: "" });

  it("adds up until it reaches the threshold", () => {
    let evidence: ScoredFinding[] = [];
    const scores = [3, 3, 3, 1].map((weight, index) => {
      const verdict = judge(limits, evidence, [finding(weight)], 30 * index);
      evidence = verdict.evidence;
      return [verdict.score, verdict.isBreach];
    });
    expect(scores).to.deep.equal([[3, false], [6, false], [9, false], [10, true]]);
    expect(evidence.map(({ atSeconds }) => atSeconds)).to.deep.equal([0, 30, 60, 90]);
  });

  it("forgets what is older than the window", () => {
    const { evidence } = judge(limits, [], [finding(9)], 0);
    expect(judge(limits, evidence, [finding(1)], 599)).to.include({ score: 10, isBreach: true });
    expect(judge(limits, evidence, [finding(1)], 600)).to.include({ score: 1, isBreach: false });
  });

  it("does not matter where a hard limit is broken", () => {
    expect(judge(limits, [], [{ ...finding(0), act: true }], 0)).to.include({ score: 0, isBreach: true });
  });

  it("survives JSON with its evidence", () => {
    const verdict = judge(limits, [], findings(used({ requests: 100, serverErrors: 60 })), 30);
    expect(JSON.parse(JSON.stringify(verdict))).to.deep.equal(verdict);
  });
});

describe("A look", () => {
  const look = (about: Partial<Look>): Look => ({ readyEndpoints: 0, emptyForSeconds: 0, pods: [], ...about });
  const judged = (about: Partial<Look>, baseline = quiet) => judgeLook({ reading: baseline }, look(about)).map(({ what, act }) => [what, act]);

  it("is fine as long as one pod serves users", () => {
    expect(judged({ readyEndpoints: 1, pods: [pod({ ready: false, backsOff: true })] })).to.deep.equal([]);
  });

  it("that finds no endpoint once is no breach, as may be at the moment of the flip; two in a row are", () => {
    expect(judged({ pods: [pod()] })).to.deep.equal([]);
    expect(judged({ pods: [pod()], emptyForSeconds: 0.01 })).to.deep.equal([]);
    expect(judged({ pods: [pod()], emptyForSeconds: 1 })).to.deep.equal([["noEndpoint", true]]);
  });

  it("acts at once when all pods are crashing, with how they ended", () => {
    const crashed = [pod({ ready: false, restarts: 1, lastEnd: failed }), pod({ name: "b", ready: false, backsOff: true, lastEnd: killed })];
    expect(judgeLook({ reading: quiet }, look({ pods: crashed }))).to.deep.equal([
      { what: "allCrashing", points: 0, text: "all 2 pods are crashing: chatgpt-app-green-a (Error, exit code 1), b (OOMKilled, exit code 137)", act: true },
    ]);
  });

  it("does not call a pod crashing for a restart before the flip, or for being unready", () => {
    expect(judged({ pods: [pod({ ready: false, restarts: 4 })] }, reading([pod({ restarts: 4 })]))).to.deep.equal([]);
    expect(judged({ pods: [pod({ ready: false, backsOff: true }), pod({ name: "b", ready: false })] })).to.deep.equal([]);
  });

  it("does not take a color without pods for a crashing one, but says that nobody is served", () => {
    expect(judged({ pods: [] })).to.deep.equal([]);
    expect(judged({ pods: [], emptyForSeconds: 2 })).to.deep.equal([["noEndpoint", true]]);
  });
});

describe("The line about an interval", () => {
  const target = { app: "chatgpt-app", color: "green" as const, template: "t" };
  const line = (now: Reading, before = quiet, score = 0) => describeInterval({ target, limits, before, now, atSeconds: 30, totalSeconds: 600, score });

  it("says what was seen", () => {
    const before = reading([pod(), pod({ name: "b" })]);
    const now = reading([pod({ counters: counters({ requests: 1200, each: 0.04 }) }), pod({ name: "b", counters: counters({ requests: 4 }) })]);
    expect(line(now, before)).to.equal("watch green 0:30 of 10:00 · 1204 requests, 0.0 % errors, p99 50 ms · 2/2 pods ready · score 0 of 10");
  });

  it("calls no traffic no data, and no metrics something else", () => {
    expect(line(quiet)).to.equal("watch green 0:30 of 10:00 · no data: nobody used it · 1/1 pods ready · score 0 of 10");
    expect(line(reading([pod({ answered: false })]))).to.contain("no data: no pod gave its metrics");
  });

  it("says what could not be seen", () => {
    const pods = Array.from({ length: 40 }, (_, index) => pod({ name: `p${index}`, answered: index > 2, counters: counters({ requests: 10 }) }));
    const now = reading(pods, {
      logs: { errors: 3, samples: [], cutPods: 2, unreadPods: 1 },
      queries: [{ name: "lag", max: 1, noData: "no answer within 5 s" }],
      opinion: { noData: "the web hook answers 500" },
    });
    expect(line(now, reading([]), 4)).to.equal(
      "watch green 0:30 of 10:00 · 370 requests, 0.0 % errors, p99 50 ms · 40/40 pods ready · 3 log errors · score 4 of 10" +
        " · no metrics from 3 of 40 pods · no log from 1 of 40 pods · only a part of the log of 2 of 40 pods · no data from query lag: no answer within 5 s · no data from the web hook: the web hook answers 500",
    );
  });

  it("does not round errors away, and reads hours in a standby", () => {
    const now = used({ requests: 10_000, serverErrors: 1 });
    expect(line(now)).to.contain("< 0.1 % errors");
    expect(describeInterval({ target, limits, before: quiet, now, atSeconds: 3_661, totalSeconds: 86_400, score: 0 })).to.contain("1:01:01 of 24:00:00");
  });
});
