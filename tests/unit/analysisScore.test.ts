import { expect } from "chai";
import {
  evaluate,
  evaluateEndpoints,
  evaluateObservation,
  type Interval,
} from "@bluegreen/release/analysis/evaluate";
import type { Finding, ScoredFinding } from "@bluegreen/release/analysis/findings";
import type { EndpointState, PodObservation, Observation } from "@bluegreen/release/analysis/observation";
import { describeInterval, summarize } from "@bluegreen/release/analysis/summary";
import type { QueryObservation } from "@bluegreen/release/analysis/prometheus";
import { trafficBetween, trafficOf, type Traffic } from "@bluegreen/release/analysis/traffic";
import { counters, limits, pod, observation, held } from "./observations";

const quiet = observation([pod()]);
const findings = (
  now: Observation,
  {
    before = quiet,
    usual,
    usualLogErrors,
    within = limits,
    seconds = 30,
  }: {
    before?: Observation;
    usual?: Traffic;
    usualLogErrors?: number;
    within?: typeof limits;
    seconds?: number;
  } = {},
) =>
  evaluateObservation(
    within,
    { ...(usual && { usual }), ...(usualLogErrors !== undefined && { usualLogErrors }) },
    observed(now, before, seconds, within),
    // What speaks for a version is in the score alone.
  ).filter(({ points: weight }) => weight > 0);
const points = (...args: Parameters<typeof findings>) =>
  findings(...args).map(({ what, points: weight }) => [what, Math.round(10 * weight) / 10]);
const answered = (traffic: Parameters<typeof counters>[0]): Traffic =>
  trafficBetween([pod()], [pod({ counters: counters(traffic) })]);
const used = (traffic: Parameters<typeof counters>[0]) => observation([pod({ counters: counters(traffic) })]);
const observed = (now: Observation, before = quiet, seconds = 30, within = limits): Interval => ({
  before,
  now,
  seconds,
  traffic: trafficOf(within, before, now),
});
const killed = { reason: "OOMKilled", exitCode: 137 };
const failed = { reason: "Error", exitCode: 1 };

describe("An observation", () => {
  it("finds nothing where nothing has changed, and nothing in a healthy busy minute", () => {
    expect(findings(quiet)).to.deep.equal([]);
    expect(findings(used({ requests: 1200, serverErrors: 4 }))).to.deep.equal([]);
  });

  it("counts each restart since the observation before once", () => {
    const before = observation([pod({ restarts: 3, lastEnd: failed })]);
    expect(points(before, { before })).to.deep.equal([]);
    expect(points(observation([pod({ restarts: 5, lastEnd: failed })]), { before })).to.deep.equal([
      ["restarts", 2],
    ]);
    expect(findings(observation([pod({ restarts: 5, lastEnd: failed })]), { before })[0]?.text).to.equal(
      "2 restarts: chatgpt-app-green-a (Error, exit code 1)",
    );
  });

  it("counts the restarts of a pod that was not there before", () => {
    expect(points(observation([pod(), pod({ name: "new", restarts: 1 })]))).to.deep.equal([["restarts", 1]]);
  });

  it("counts restarts of workers, each by what it was before, for as many workers as there are", () => {
    const worker = (restarts: number, name = "mailer-a") => ({ ...pod({ name, restarts, lastEnd: failed }) });
    const before = observation([pod()], { workers: [worker(7)] });
    const now = observation([pod()], { workers: [worker(9), worker(1, "mailer-b")] });
    expect(points(now, { before })).to.deep.equal([["restarts", 3]]);
    expect(findings(now, { before })[0]?.text).to.contain(
      "3 restarts: mailer-a (Error, exit code 1), mailer-b",
    );
    const many = Array.from({ length: 8 }, (_, index) => worker(1, `mailer-${index}`));
    expect(points(observation([pod()], { workers: many }), { before: observation([pod()]) })).to.deep.equal([
      ["restarts", 4],
    ]);
  });

  it("counts a kill for lack of memory three times, and each pod's other restarts once", () => {
    const now = observation([
      pod({ restarts: 3, lastEnd: killed }),
      pod({ name: "b", restarts: 1, lastEnd: killed }),
    ]);
    expect(points(now, { before: observation([pod(), pod({ name: "b" })]) })).to.deep.equal([
      ["oomKills", 6],
      ["restarts", 2],
    ]);
  });

  it("counts a pod that is not ready from the second time in a row on", () => {
    const now = observation([pod({ ready: false }), pod({ name: "b", ready: false })]);
    expect(points(now)).to.deep.equal([]);
    expect(points(now, { before: now })).to.deep.equal([["notReady", 2]]);
    expect(points(now, { before: observation([pod({ ready: false }), pod({ name: "b" })]) })).to.deep.equal([
      ["notReady", 1],
    ]);
  });

  const logs = (errors: number, pods = [pod()]) =>
    observation(pods, { logs: { errors, samples: ["a: boom", "b: bang"], cutPods: 0, unreadPods: 0 } });

  it("counts errors in logs one each when there are more than the limit", () => {
    expect(points(logs(5))).to.deep.equal([]);
    expect(findings(logs(6))).to.deep.equal([
      { what: "logErrors", points: 6, text: "6 errors in the logs, 5 are allowed: a: boom | b: bang" },
    ]);
  });

  it("allows as many in each interval that an observation stands for, and by each four pods", () => {
    expect(points(logs(100), { seconds: 600 })).to.deep.equal([]);
    expect(points(logs(120), { seconds: 600 })).to.deep.equal([["logErrors", 6]]);
    const many = Array.from({ length: 50 }, (_, index) => pod({ name: `p${index}` }));
    expect(points(logs(12, many))).to.deep.equal([]);
    expect(points(logs(100, many))).to.deep.equal([["logErrors", 8]]);
  });

  it("blames no version for a log that was as noisy before, and does for one that is three times so", () => {
    const usualLogErrors = 20 / 30;
    expect(points(logs(50), { usualLogErrors })).to.deep.equal([]);
    expect(points(logs(61), { usualLogErrors })).to.deep.equal([["logErrors", 41]]);
  });

  it("weighs 5xx by how much likelier they are from a version that fails more, and no interval alone convicts", () => {
    expect(points(used({ requests: 100, serverErrors: 1 }))).to.deep.equal([]);
    expect(points(used({ requests: 1, serverErrors: 1 }))).to.deep.equal([["serverErrors", 1.6]]);
    expect(points(used({ requests: 4, serverErrors: 4 }))).to.deep.equal([["serverErrors", 6]]);
    expect(points(used({ requests: 1000, serverErrors: 1000 }))).to.deep.equal([["serverErrors", 6]]);
    expect(findings(used({ requests: 100, serverErrors: 6 }))[0]?.text).to.equal(
      "6 of 100 requests failed with 5xx, 6.0 %; 1.0 % are expected at most",
    );
  });

  it("expects as many as are usual, when enough requests say what is usual", () => {
    const now = used({ requests: 100, serverErrors: 12 });
    expect(points(now, { usual: answered({ requests: 1000, serverErrors: 100 }) })).to.deep.equal([]);
    expect(points(now, { usual: answered({ requests: 90, serverErrors: 30 }) })).to.deep.equal([
      ["serverErrors", 6],
    ]);
  });

  it("convicts a version that fails altogether after one that failed in part", () => {
    expect(
      points(used({ requests: 1000, serverErrors: 1000 }), {
        usual: answered({ requests: 1000, serverErrors: 400 }),
      }),
    ).to.deep.equal([["serverErrors", 6]]);
  });

  it("takes a request without a status for neither an error nor a success", () => {
    const now = used({ requests: 1000, unclassified: 1000 });
    expect(evaluateObservation(limits, {}, observed(now))).to.deep.equal([]);
  });

  it("sees a version that refuses everybody, where the old one did not", () => {
    const now = used({ requests: 200, clientErrors: 200 });
    expect(points(now, { usual: answered({ requests: 1000, clientErrors: 20 }) })).to.deep.equal([
      ["clientErrors", 3],
    ]);
    expect(points(now, { usual: answered({ requests: 1000, clientErrors: 1000 }) })).to.deep.equal([]);
    expect(points(now)).to.deep.equal([]);
  });

  it("blames no version for refusing all, where nearly all were refused before", () => {
    const now = used({ requests: 138, clientErrors: 138 });
    for (const clientErrors of [980, 998, 1000])
      expect(
        points(now, { usual: answered({ requests: 1000, clientErrors }) }),
        String(clientErrors),
      ).to.deep.equal([]);
    const half = answered({ requests: 1000, clientErrors: 500 });
    expect(points(now, { usual: half })).to.deep.equal([["clientErrors", 3]]);
    expect(points(used({ requests: 138, clientErrors: 110 }), { usual: half })).to.deep.equal([
      ["clientErrors", 3],
    ]);
    expect(points(used({ requests: 138, clientErrors: 80 }), { usual: half })).to.deep.equal([]);
  });

  it("keeps a score that is a number for a version that fails altogether, as the old one did", () => {
    const now = used({ requests: 1000, serverErrors: 1000 });
    for (const serverErrors of [999, 1000]) {
      const usual = answered({ requests: 1000, serverErrors });
      const found = evaluateObservation(limits, { usual }, observed(now));
      expect(evaluate(limits, [], found, 30).score, String(serverErrors)).to.equal(0);
    }
  });

  it("holds nothing against a version that happened to the other one, too", () => {
    const away = { pods: [pod({ ready: false })], beside: [pod({ ready: false })] };
    const now = observation(away.pods, { beside: away.beside });
    expect(points(now, { before: now })).to.deep.equal([]);
    expect(points(observation(away.pods, { beside: [pod()] }), { before: now })).to.deep.equal([
      ["notReady", 1],
    ]);
  });

  it("counts a long interval for no more than the window is long", () => {
    const now = observation(
      Array.from({ length: 4 }, (_, index) => pod({ name: `p${index}`, restarts: 1, lastEnd: killed })),
    );
    const before = observation(Array.from({ length: 4 }, (_, index) => pod({ name: `p${index}` })));
    expect(points(now, { before, seconds: 24 * 3600 })).to.deep.equal([["oomKills", 0.1]]);
  });

  it("counts an interval three times whose average or 99th percentile is over the limit, and once for both", () => {
    expect(points(used({ requests: 20, each: 6 }))).to.deep.equal([["latency", 3]]);
    expect(points(used({ requests: 500, each: 6 }))).to.deep.equal([["latency", 3]]);
    const tail = observation([
      pod({ counters: counters({ requests: 980 }) }),
      pod({ name: "slow", counters: counters({ requests: 20, each: 8 }) }),
    ]);
    expect(findings(tail)).to.deep.equal([
      { what: "latency", points: 3, text: "p99 7.5 s over 1000 requests; 5 s are allowed" },
    ]);
  });

  it("does not call a version slow for one slow request among few", () => {
    expect(points(used({ requests: 1, each: 30 }))).to.deep.equal([]);
    const one = observation([
      pod({ counters: counters({ requests: 60 }) }),
      pod({ name: "slow", counters: counters({ requests: 1, each: 9 }) }),
    ]);
    expect(points(one)).to.deep.equal([]);
  });

  it("counts a Prometheus query beyond its bound and a web hook that says no three times each", () => {
    const queries = [
      { ...held, name: "queue", max: 100, value: 101 },
      { ...held, name: "lag", max: 5, value: 5 },
      { ...held, name: "gone", max: 1, noData: "no answer within 5 s" },
    ];
    expect(
      findings(observation([pod()], { queries, webhook: { healthy: false, reason: "orders fell" } })),
    ).to.deep.equal([
      { what: "query", points: 3, text: "query queue gives 101; 100 is allowed" },
      { what: "webhook", points: 3, text: "the web hook says no: orders fell" },
    ]);
  });

  it("holds a query to its least value, to the idle color, to the time before the switch, and to having data", () => {
    const of = (query: QueryObservation, usualQueries: QueryObservation[] = []) =>
      evaluateObservation(limits, { usualQueries }, observed(observation([pod()], { queries: [query] }))).map(
        ({ text }) => text,
      );
    const rate = { ...held, name: "orders" };
    expect(of({ ...rate, min: 10, value: 30, smallest: 9 })).to.deep.equal([
      "query orders gives 9; 10 is the least",
    ]);
    expect(of({ ...rate, min: 10, value: 30, smallest: 10 })).to.deep.equal([]);

    const usual = [{ ...rate, maxTimes: 2, value: 4 }];
    expect(of({ ...rate, maxTimes: 2, value: 9 }, usual)).to.deep.equal([
      "query orders gives 9; 2 times 4 from before the switch is allowed",
    ]);
    expect(of({ ...rate, maxTimes: 2, value: 8 }, usual)).to.deep.equal([]);
    expect(of({ ...rate, maxTimes: 2, value: 9 }), "nothing was known before").to.deep.equal([]);
    const idle = { ...rate, comparedWith: "idle" as const, maxTimes: 2, value: 9 };
    expect(of({ ...idle, reference: 4 }, usual)).to.deep.equal([
      "query orders gives 9; 2 times 4 of the idle color is allowed",
    ]);
    expect(of(idle, usual), "the idle color has no data").to.deep.equal([]);

    expect(of({ ...rate, max: 1, whenNoData: "fail", noData: "the query found no series" })).to.deep.equal([
      "query orders has no data (the query found no series), and its whenNoData is fail",
    ]);
  });

  it("holds nothing against a version that could not be asked: no metrics, no answer of query or hook", () => {
    const silent = observation([pod({ answered: false })], {
      queries: [{ ...held, name: "gone", max: 1, noData: "x" }],
      webhook: { noData: "x" },
      logs: { errors: 0, samples: [], cutPods: 1, unreadPods: 1 },
    });
    expect(findings(silent)).to.deep.equal([]);
    expect(points(observation([pod()], { webhook: { healthy: true } }))).to.deep.equal([]);
  });

  it("names three pods of many", () => {
    const many = (restarts: number): PodObservation[] =>
      Array.from({ length: 12 }, (_, index) => pod({ name: `p${index}`, restarts, lastEnd: failed }));
    expect(findings(observation(many(1)), { before: observation(many(0)) })[0]?.text).to.equal(
      "12 restarts: p0 (Error, exit code 1), p1 (Error, exit code 1), p2 (Error, exit code 1) and 9 more",
    );
  });
});

describe("The score", () => {
  const finding = (weight: number): Finding => ({ what: "restarts", points: weight, text: "" });

  it("adds up until it reaches the threshold", () => {
    let evidence: ScoredFinding[] = [];
    const scores = [3, 3, 3, 1].map((weight, index) => {
      const verdict = evaluate(limits, evidence, [finding(weight)], 30 * index);
      evidence = verdict.evidence;
      return [verdict.score, verdict.isBreach];
    });
    expect(scores).to.deep.equal([
      [3, false],
      [6, false],
      [9, false],
      [10, true],
    ]);
    expect(evidence.map(({ atSeconds }) => atSeconds)).to.deep.equal([0, 30, 60, 90]);
  });

  it("forgets what is older than the window", () => {
    const { evidence } = evaluate(limits, [], [finding(9)], 0);
    expect(evaluate(limits, evidence, [finding(1)], 599)).to.include({ score: 10, isBreach: true });
    expect(evaluate(limits, evidence, [finding(1)], 600)).to.include({ score: 1, isBreach: false });
  });

  it("does not matter where a hard limit is broken", () => {
    expect(evaluate(limits, [], [{ ...finding(0), act: true }], 0)).to.include({ score: 0, isBreach: true });
  });

  it("of errors goes back with what speaks for the version, and never below nothing", () => {
    const errors = (weight: number): Finding => ({ what: "serverErrors", points: weight, text: "" });
    const scores = (weights: number[]) => {
      let evidence: ScoredFinding[] = [];
      return weights.map((weight, index) => {
        const verdict = evaluate(limits, evidence, [errors(weight)], 30 * index);
        evidence = verdict.evidence;
        return verdict.score;
      });
    };
    expect(scores([-10, 6, -2, 5, 1])).to.deep.equal([0, 6, 4, 9, 10]);
  });

  it("survives JSON with its evidence", () => {
    const verdict = evaluate(limits, [], findings(used({ requests: 100, serverErrors: 60 })), 30);
    expect(JSON.parse(JSON.stringify(verdict))).to.deep.equal(verdict);
  });
});

describe("The state of the endpoints", () => {
  const state = (about: Partial<EndpointState>): EndpointState => ({
    readyEndpoints: 0,
    emptyForSeconds: 0,
    isShared: false,
    graceSeconds: 0,
    pods: [],
    ...about,
  });
  const evaluated = (about: Partial<EndpointState>, baseline = quiet) =>
    evaluateEndpoints({ observation: baseline }, state(about)).map(({ what, act }) => [what, act]);

  it("is fine as long as one pod serves traffic", () => {
    expect(evaluated({ readyEndpoints: 1, pods: [pod({ ready: false, backsOff: true })] })).to.deep.equal([]);
  });

  it("that finds no endpoint once is no breach, as may be at the moment of the flip; two in a row are", () => {
    expect(evaluated({ pods: [pod()] })).to.deep.equal([]);
    expect(evaluated({ pods: [pod()], emptyForSeconds: 0.01 })).to.deep.equal([]);
    expect(evaluated({ pods: [pod()], emptyForSeconds: 1 })).to.deep.equal([["noEndpoint", true]]);
  });

  it("decides nothing while both colors are away, nor before this one had its time to be ready again", () => {
    const crashing = [pod({ ready: false, backsOff: true })];
    expect(evaluated({ pods: crashing, emptyForSeconds: 9, isShared: true })).to.deep.equal([]);
    expect(evaluated({ pods: crashing, emptyForSeconds: 9, graceSeconds: 11 })).to.deep.equal([]);
    expect(evaluated({ pods: crashing, emptyForSeconds: 12, graceSeconds: 11 })).to.deep.equal([
      ["allCrashing", true],
      ["noEndpoint", true],
    ]);
  });

  it("acts at once when all pods are crashing, with how they ended", () => {
    const crashed = [
      pod({ ready: false, restarts: 1, lastEnd: failed }),
      pod({ name: "b", ready: false, backsOff: true, lastEnd: killed }),
    ];
    expect(evaluateEndpoints({ observation: quiet }, state({ pods: crashed }))).to.deep.equal([
      {
        what: "allCrashing",
        points: 0,
        text: "all 2 pods are crashing: chatgpt-app-green-a (Error, exit code 1), b (OOMKilled, exit code 137)",
        act: true,
      },
    ]);
  });

  it("does not call a pod crashing for a restart before the flip, or for being unready", () => {
    expect(
      evaluated({ pods: [pod({ ready: false, restarts: 4 })] }, observation([pod({ restarts: 4 })])),
    ).to.deep.equal([]);
    expect(
      evaluated({ pods: [pod({ ready: false, backsOff: true }), pod({ name: "b", ready: false })] }),
    ).to.deep.equal([]);
  });

  it("does not take a color without pods for a crashing one, but says that nobody is served", () => {
    expect(evaluated({ pods: [] })).to.deep.equal([]);
    expect(evaluated({ pods: [], emptyForSeconds: 2 })).to.deep.equal([["noEndpoint", true]]);
  });
});

describe("The line about an interval", () => {
  const target = { app: "chatgpt-app", color: "green" as const, template: "t" };
  const line = (now: Observation, before = quiet, score = 0) =>
    describeInterval({
      limits,
      seen: summarize(target, limits, before, now),
      now,
      atSeconds: 30,
      totalSeconds: 600,
      score,
    });

  it("says what was seen", () => {
    const before = observation([pod(), pod({ name: "b" })]);
    const now = observation([
      pod({ counters: counters({ requests: 1200, each: 0.04 }) }),
      pod({ name: "b", counters: counters({ requests: 4 }) }),
    ]);
    expect(line(now, before)).to.equal(
      "analysis of green 0:30 of 10:00 · 1204 requests, 0.0 % errors, p99 50 ms · 2/2 pods ready · score 0 of 10",
    );
  });

  it("calls no traffic no data, and no metrics something else", () => {
    expect(line(quiet)).to.equal(
      "analysis of green 0:30 of 10:00 · no data: nobody used it · 1/1 pods ready · score 0 of 10",
    );
    expect(line(observation([pod({ answered: false })]))).to.contain("no data: no pod gave its metrics");
  });

  it("prints no figure that was not measured", () => {
    expect(line(used({ requests: 1000, unclassified: 1000 }))).to.contain(
      "1000 requests, no data: errors (no label tells the status of a request), p99 50 ms",
    );
    expect(line(used({ requests: 1000, unclassified: 400, serverErrors: 6 }))).to.contain(
      "1000 requests, 1.0 % errors (no status of 400)",
    );
    const untimed = observation([pod({ counters: { ...counters({ requests: 9 }), timed: 0, buckets: {} } })]);
    expect(line(untimed)).to.contain("9 requests, 0.0 % errors, no data: latency");
  });

  it("says what could not be seen", () => {
    const pods = Array.from({ length: 40 }, (_, index) =>
      pod({ name: `p${index}`, answered: index > 2, counters: counters({ requests: 10 }) }),
    );
    const now = observation(pods, {
      logs: { errors: 3, samples: [], cutPods: 2, unreadPods: 1 },
      queries: [{ ...held, name: "lag", max: 1, noData: "no answer within 5 s" }],
      webhook: { noData: "the web hook answers 500" },
    });
    expect(line(now, observation([]), 4)).to.equal(
      "analysis of green 0:30 of 10:00 · 370 requests, 0.0 % errors, p99 50 ms · 40/40 pods ready · 3 log errors · score 4 of 10" +
        " · no metrics from 3 of 40 pods · no log from 1 of 40 pods · only a part of the log of 2 of 40 pods · no data from query lag: no answer within 5 s · no data from the web hook: the web hook answers 500",
    );
  });

  it("does not round errors away, and reads hours in a standby", () => {
    const now = used({ requests: 10_000, serverErrors: 1 });
    expect(line(now)).to.contain("< 0.1 % errors");
    expect(
      describeInterval({
        limits,
        seen: summarize(target, limits, quiet, now),
        now,
        atSeconds: 3_661,
        totalSeconds: 86_400,
        score: 0,
      }),
    ).to.contain("1:01:01 of 24:00:00");
  });
});
