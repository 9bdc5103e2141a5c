import type { WatchLimits } from "./limits.js";
import type { Look } from "./look.js";
import type { Baseline } from "./observe.js";
import { rankLatency } from "./latencyRank.js";
import { isCrashing, type PodState } from "./podState.js";
import type { PodReading, Reading } from "./reading.js";
import type { QueryReading } from "./prometheus.js";
import { percent, span } from "./summary.js";
import { toldRequests, type Traffic } from "./traffic.js";

/** Something that speaks against a version. */
export interface Finding {
  what:
    | "restarts"
    | "oomKills"
    | "logErrors"
    | "latency"
    | "slower"
    | "serverErrors"
    | "clientErrors"
    | "notReady"
    | "query"
    | "webhook"
    | "noEndpoint"
    | "allCrashing";
  points: number;
  /** One line for people, with the figures. */
  text: string;
  /** A hard limit: traffic goes back at once, whatever the score. */
  act?: true;
}

/** A finding that counts as long as it is in the window. */
export interface ScoredFinding extends Finding {
  /** When it was made, in seconds from the start of the watch. */
  atSeconds: number;
}

export interface Verdict {
  score: number;
  isBreach: boolean;
  /**
   * All that counts now, oldest first. The next verdict needs it. Before a breach never more than the
   * threshold has points.
   */
  evidence: ScoredFinding[];
}

/** The guide adds the number of crashes. */
const restartPoints = 1;
/** As a slow interval: memory that runs out comes back, and takes all requests of the pod with it. */
const oomKillPoints = 3;
/** The guide's weight of a slow interval. */
const latencyPoints = 3;
/** One pod less is what a restart costs. */
const notReadyPoints = 1;
/** As a slow interval: someone has written down that it must not be. */
const queryPoints = 3;
const webhookPoints = 3;

/** What clients and single upstream failures make of a version that is well. */
const fewErrors = 0.01;
/** So many more of the requests is harm. */
const harm = 0.05;
/**
 * The odds at which a version is convicted. The chance of convicting one that is as good as the old one is less
 * than one in so many for each interval in which that could begin.
 */
const decisive = Math.log(100_000);
/** Of an interval over a fixed limit. */
const limitPoints = 3;
/** Caches fill, and code is compiled, with the first requests. */
const warmUpSeconds = 30;
/** A cause that passes makes requests slow for a while: at least four samples convict, as with a fixed limit. */
const mostOfSlower = 0.3;
/** Errors come in bursts: one interval alone, however bad, is not all of the evidence. */
const mostOfInterval = 0.6;
/** A bad past does not excuse everything: at least half of what used to succeed has to. */
const lostOfUsual = 0.5;
/** As a slow interval: a version that refuses everybody answers quickly. */
const clientErrorPoints = 3;
/** A usual ratio of fewer requests is chance. */
const usualRequests = 100;
/** Of log errors, beside what was usual. */
const usualLogFactor = 3;

/** The average of fewer may be one slow request. */
const averageRequests = 5;
/** The 99th percentile of fewer is the slowest one. */
const percentileRequests = 100;

/**
 * When the selector changes, the list of endpoints is rewritten, and a single look may find it between the
 * old ones and the new: one empty list is no breach. Two in a row, a second apart, are; a tick less, because
 * timers may be early.
 */
const emptySeconds = 0.9;

/**
 * Points of single pods are for so many: of more pods each counts as its part of them, so that a large app is
 * held to the same as a small one.
 */
const pointedPods = 4;

/** At the most so many pods are named. */
const namedPods = 3;

/**
 * The hard limits: users are not served. To be asked about every second. What both colors suffer speaks against
 * neither, and afterwards each has the time that its probe takes to say that it is well.
 */
export function judgeLook(
  { reading }: Pick<Baseline, "reading">,
  { readyEndpoints, emptyForSeconds, isShared, graceSeconds, pods }: Look,
): Finding[] {
  if (readyEndpoints > 0 || isShared || emptyForSeconds < graceSeconds) return [];
  const restartsBefore = new Map(reading.pods.map(({ name, restarts }) => [name, restarts]));
  const findings: Finding[] = [];
  // No color without pods is crashing: it is gone, which the endpoints say.
  if (pods.length > 0 && pods.every((pod) => isCrashing(pod, restartsBefore.get(pod.name) ?? 0))) {
    findings.push({
      what: "allCrashing",
      points: 0,
      text: `all ${pods.length} pods are crashing: ${list(pods, describeEnd)}`,
      act: true,
    });
  }
  if (emptyForSeconds >= emptySeconds) {
    findings.push({
      what: "noEndpoint",
      points: 0,
      text: `no pod is ready behind the active Service, for ${span(emptyForSeconds)}`,
      act: true,
    });
  }
  return findings;
}

/** What happened between two readings. */
export interface Observed {
  before: Reading;
  now: Reading;
  /** From the one to the other: limits are for an interval of `limits.intervalSeconds`. */
  seconds: number;
  /** What was answered meanwhile, by whoever config believes (trafficOf). */
  traffic: Traffic;
  /** From the moment that traffic moved to the earlier one; absent where none has moved. */
  movedSeconds?: number;
}

/**
 * What happened between two readings that speaks against the version. No traffic speaks neither for nor
 * against it, and no more does what happened to both colors: its cause is what they share.
 */
export function judgeReading(
  limits: WatchLimits,
  { usual, usualLogErrors, usualQueries = [] }: Omit<Baseline, "reading" | "beside" | "besideRouter">,
  { before, now, seconds, traffic, movedSeconds = 0 }: Observed,
): Finding[] {
  const ofPods = [
    ...judgeRestarts(before.pods, now.pods),
    ...(isShared(now) ? [] : judgeReadiness(before.pods, now.pods)),
  ].map((finding) => perPod(finding, now.pods.length));
  // One long interval must not weigh more than all the short ones that it stands for.
  const part = Math.min(1, limits.durationSeconds / seconds);
  return [
    ...ofPods.map((finding) => ({ ...finding, points: finding.points * part })),
    ...judgeErrors(limits, traffic, usual),
    ...judgeClientErrors(traffic, usual),
    ...judgeLatency(limits, traffic),
    ...(movedSeconds >= warmUpSeconds ? judgeSlower(limits, traffic, usual) : []),
    ...judgeLogs(limits, now, { seconds, usualLogErrors }),
    ...judgeQueries(now, usualQueries),
    ...judgeOpinion(now),
  ];
}

/** Both colors have pods that are not ready: a database that restarts, a node that is gone. */
function isShared({ beside }: Reading): boolean {
  return beside?.some(({ ready }) => !ready) === true;
}

function perPod(finding: Finding, pods: number): Finding {
  return { ...finding, points: finding.points * Math.min(1, pointedPods / pods) };
}

/**
 * Adds up what counts at this moment.
 * @param evidence of the verdict before
 * @param atSeconds of the findings, from the start of the analysis
 */
export function judge(
  { failureThreshold: threshold, durationSeconds: seconds }: WatchLimits,
  evidence: readonly ScoredFinding[],
  findings: readonly Finding[],
  atSeconds: number,
): Verdict {
  const inWindow = [
    ...evidence.filter((finding) => finding.atSeconds > atSeconds - seconds),
    ...findings.map((finding) => ({ ...finding, atSeconds })),
  ];
  const score = scoreOf(inWindow);
  return {
    score,
    isBreach: score >= threshold || findings.some(({ act }) => act === true),
    evidence: inWindow,
  };
}

/**
 * The sum of all points; those of errors, and of a comparison of latencies, each as a CUSUM chart: what an interval
 * with few errors speaks for a version counts against what was found before it, and never in advance.
 */
function scoreOf(evidence: readonly Finding[]): number {
  let errors = 0;
  let slower = 0;
  let others = 0;
  for (const { what, points } of evidence) {
    if (what === "serverErrors") errors = Math.max(0, errors + points);
    else if (what === "slower") slower = Math.max(0, slower + points);
    else others += points;
  }
  // Parts of a point add up to what is written as a whole one.
  return Math.round(100 * (errors + slower + others)) / 100;
}

function judgeRestarts(before: readonly PodReading[], now: readonly PodReading[]): Finding[] {
  const earlier = new Map(before.map(({ name, restarts }) => [name, restarts]));
  const restarted = now
    .map((pod) => ({ ...pod, more: pod.restarts - (earlier.get(pod.name) ?? 0) }))
    .filter(({ more }) => more > 0);
  // Only the last end of a container is known.
  const killed = restarted.filter(({ lastEnd }) => lastEnd?.reason === "OOMKilled");
  const others = restarted.reduce((total, { more }) => total + more, 0) - killed.length;
  const findings: Finding[] = [];
  if (killed.length > 0) {
    findings.push({
      what: "oomKills",
      points: killed.length * oomKillPoints,
      text: `${count(killed.length, "pod")} ran out of memory: ${list(killed, describeEnd)}`,
    });
  }
  if (others > 0)
    findings.push({
      what: "restarts",
      points: others * restartPoints,
      text: `${count(others, "restart")}: ${list(restarted, describeEnd)}`,
    });
  return findings;
}

/** A pod that is not ready at one reading may be starting. */
function judgeReadiness(before: readonly PodReading[], now: readonly PodReading[]): Finding[] {
  const unreadyBefore = new Set(before.filter(({ ready }) => !ready).map(({ name }) => name));
  const unready = now.filter(({ name, ready }) => !ready && unreadyBefore.has(name));
  if (unready.length === 0) return [];
  return [
    {
      what: "notReady",
      points: unready.length * notReadyPoints,
      text: `${unready.length} of ${count(now.length, "pod")} not ready: ${list(unready, ({ name }) => name)}`,
    },
  ];
}

/**
 * A sequential test: how much likelier these answers are from a version that fails 5 % more of its requests than
 * from one that fails as many as usual, as the logarithm of that ratio; `decisive` is the whole threshold.
 * Fewer errors than expected give points below zero, which speak for the version (scoreOf).
 */
function judgeErrors(limits: WatchLimits, traffic: Traffic, usual: Traffic | undefined): Finding[] {
  const { serverErrors } = traffic;
  const told = toldRequests(traffic);
  if (told === 0) return [];
  if (limits.maxErrorPercent > 0) return judgeLimit(limits.maxErrorPercent / 100, traffic);
  const expected = expectedRatio(usual, "serverErrors");
  const lost = lostOfUsual * (1 - expected);
  // Of a version that served nobody nothing can be lost.
  if (lost <= 0) return [];
  const evidence = evidenceOf(serverErrors, told, { expected, harmful: expected + Math.min(harm, lost) });
  return [
    {
      what: "serverErrors",
      points: limits.failureThreshold * Math.min(mostOfInterval, Math.max(-1, evidence / decisive)),
      text: `${serverErrors} of ${count(told, "request")} failed with 5xx, ${percent(serverErrors / told)}; ${percent(expected)} are expected at most`,
    },
  ];
}

/** The logarithm of how much likelier so many are of a harmful ratio than of the expected one. */
function evidenceOf(
  bad: number,
  told: number,
  { expected, harmful }: { expected: number; harmful: number },
): number {
  return bad * Math.log(harmful / expected) + (told - bad) * Math.log((1 - harmful) / (1 - expected));
}

/** As Argo Rollouts and Flagger do: an interval over the limit counts as a slow one does. */
function judgeLimit(allowed: number, traffic: Traffic): Finding[] {
  const { serverErrors } = traffic;
  const told = toldRequests(traffic);
  if (serverErrors / told <= allowed) return [];
  return [
    {
      what: "serverErrors",
      points: limitPoints,
      text: `${serverErrors} of ${count(told, "request")} failed with 5xx, ${percent(serverErrors / told)}; ${percent(allowed)} are allowed`,
    },
  ];
}

/** As many as the old version had, allowing for the chance in what was counted of it. */
function expectedRatio(usual: Traffic | undefined, what: "serverErrors" | "clientErrors"): number {
  const told = usual === undefined ? 0 : toldRequests(usual);
  if (usual === undefined || told < usualRequests) return fewErrors;
  const ratio = usual[what] / told;
  return Math.max(fewErrors, ratio + 2 * Math.sqrt((ratio * (1 - ratio)) / told));
}

/**
 * A version that answers everybody with 404 or 403 serves nobody. Where nearly all were refused before, a few
 * more say nothing: the evidence has to convict by itself.
 */
function judgeClientErrors(traffic: Traffic, usual: Traffic | undefined): Finding[] {
  const told = toldRequests(traffic);
  if (usual === undefined || Math.min(told, toldRequests(usual)) < usualRequests) return [];
  const expected = expectedRatio(usual, "clientErrors");
  const harmful = expected + lostOfUsual * (1 - expected);
  const { clientErrors } = traffic;
  if (clientErrors / told <= harmful || evidenceOf(clientErrors, told, { expected, harmful }) < decisive)
    return [];
  return [
    {
      what: "clientErrors",
      points: clientErrorPoints,
      text: `${clientErrors} of ${count(told, "request")} were refused with 4xx, ${percent(clientErrors / told)}; ${percent(expected)} are expected at most`,
    },
  ];
}

function judgeLatency(
  { latencySeconds }: WatchLimits,
  { timed, averageSeconds, p99Seconds }: Traffic,
): Finding[] {
  const slow = [
    ...(averageSeconds !== undefined && timed >= averageRequests && averageSeconds > latencySeconds
      ? [`average ${span(averageSeconds)}`]
      : []),
    ...(p99Seconds !== undefined && timed >= percentileRequests && p99Seconds > latencySeconds
      ? [`p99 ${span(p99Seconds)}`]
      : []),
  ];
  if (slow.length === 0) return [];
  return [
    {
      what: "latency",
      points: latencyPoints,
      text: `${slow.join(", ")} over ${count(timed, "request")}; ${span(latencySeconds)} are allowed`,
    },
  ];
}

/**
 * Whether requests take longer than before the switch, by a sequential rank test; `decisive` is the whole threshold.
 * Whoever only wants to know it is told, without points.
 */
function judgeSlower(limits: WatchLimits, traffic: Traffic, usual: Traffic | undefined): Finding[] {
  const rank = rankLatency(usual, traffic);
  if (rank === undefined) return [];
  if (rank === "otherBuckets")
    return [
      { what: "slower", points: 0, text: "latency is not compared: the old color counts by other buckets" },
    ];
  const part = Math.min(mostOfSlower, Math.max(-1, rank.evidence / decisive));
  const isCounted = limits.slowerThanBefore === "count";
  if (!isCounted && part < mostOfSlower) return [];
  const average = `${span(traffic.averageSeconds ?? 0)} on average, ${span(usual?.averageSeconds ?? 0)} before`;
  return [
    {
      what: "slower",
      points: isCounted ? limits.failureThreshold * part : 0,
      text: `requests take longer than before the switch in ${percent(rank.slowerChance)} of pairs: ${average}`,
    },
  ];
}

/** A log that was noisy before says nothing about this version; three times as many errors do. */
function judgeLogs(
  { logErrors, intervalSeconds }: WatchLimits,
  { logs, pods }: Reading,
  { seconds, usualLogErrors = 0 }: { seconds: number; usualLogErrors: number | undefined },
): Finding[] {
  const intervals = Math.max(1, seconds / intervalSeconds);
  const sizes = Math.max(1, pods.length / pointedPods);
  const usual = usualLogErrors * pods.length * seconds;
  const allowed = Math.max(logErrors * intervals * sizes, usualLogFactor * usual);
  if (logs.errors <= allowed) return [];
  return [
    {
      what: "logErrors",
      points: (logs.errors - usual) / (intervals * sizes),
      text: `${count(logs.errors, "error")} in the logs, ${Math.floor(allowed)} are allowed: ${logs.samples.join(" | ")}`,
    },
  ];
}

function judgeQueries({ queries }: Reading, usual: readonly QueryReading[]): Finding[] {
  return queries.flatMap((query) => {
    const why = whyNot(
      query,
      usual.find(({ name }) => name === query.name),
    );
    return why === undefined
      ? []
      : [{ what: "query" as const, points: queryPoints, text: `query ${query.name} ${why}` }];
  });
}

/** Undefined where the answer passes. */
function whyNot(query: QueryReading, usual: QueryReading | undefined): string | undefined {
  const { max, min, maxTimes, comparedWith } = query;
  if ("noData" in query)
    return query.whenNoData === "fail"
      ? `has no data (${query.noData}), and its whenNoData is fail`
      : undefined;
  const { value, smallest = value } = query;
  if (max !== undefined && value > max) return `gives ${value}; ${max} is allowed`;
  if (min !== undefined && smallest < min) return `gives ${smallest}; ${min} is the least`;
  const before = usual !== undefined && "value" in usual ? usual.value : undefined;
  const reference = comparedWith === "idle" ? query.reference : before;
  if (maxTimes === undefined || reference === undefined || value <= reference * maxTimes) return undefined;
  const whose = comparedWith === "idle" ? "of the idle color" : "from before the switch";
  return `gives ${value}; ${maxTimes} times ${reference} ${whose} is allowed`;
}

function judgeOpinion({ opinion }: Reading): Finding[] {
  if (opinion === undefined || !("healthy" in opinion) || opinion.healthy) return [];
  return [{ what: "webhook", points: webhookPoints, text: `the web hook says no: ${opinion.reason}` }];
}

function describeEnd({ name, lastEnd }: PodState): string {
  return lastEnd === undefined ? name : `${name} (${lastEnd.reason}, exit code ${lastEnd.exitCode})`;
}

function list<T>(pods: readonly T[], describe: (pod: T) => string): string {
  const more = pods.length > namedPods ? ` and ${pods.length - namedPods} more` : "";
  return pods.slice(0, namedPods).map(describe).join(", ") + more;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
