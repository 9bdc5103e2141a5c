import type { AnalysisLimits } from "./limits.js";
import type { PodState, PodObservation } from "./observation.js";
import { count, percent, span } from "./summary.js";
import { rankLatency, toldRequests, type Traffic } from "./traffic.js";

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
  /** A hard limit: rollback at once, whatever the score. */
  act?: true;
}

/** A finding that counts as long as it is in the window. */
export interface ScoredFinding extends Finding {
  /** When it was made, in seconds from the start of the analysis. */
  atSeconds: number;
}

/** A point for each crash. */
const restartPoints = 1;
/** As a slow interval: memory that runs out comes back, and takes all requests of the pod with it. */
const oomKillPoints = 3;

/** One pod less is what a restart costs. */
const notReadyPoints = 1;

/** At the most so many pods are named. */
const namedPods = 3;

export function evaluateRestarts(before: readonly PodState[], now: readonly PodState[]): Finding[] {
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

/** A pod that is not ready at one observation may be starting. */
export function evaluateReadiness(
  before: readonly PodObservation[],
  now: readonly PodObservation[],
): Finding[] {
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

export function describeEnd({ name, lastEnd }: PodState): string {
  return lastEnd === undefined ? name : `${name} (${lastEnd.reason}, exit code ${lastEnd.exitCode})`;
}

export function list<T>(pods: readonly T[], describe: (pod: T) => string): string {
  const more = pods.length > namedPods ? ` and ${pods.length - namedPods} more` : "";
  return pods.slice(0, namedPods).map(describe).join(", ") + more;
}

/** Points of a slow interval. */
const latencyPoints = 3;

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

/** The average of fewer may be one slow request. */
const averageRequests = 5;
/** The 99th percentile of fewer is the slowest one. */
const percentileRequests = 100;

/**
 * A sequential test: how much likelier these answers are from a version that fails 5 % more of its requests than
 * from one that fails as many as usual, as the logarithm of that ratio; `decisive` is the whole threshold.
 * Fewer errors than expected give points below zero, which speak for the version (scoreOf).
 */
export function evaluateErrors(
  limits: AnalysisLimits,
  traffic: Traffic,
  usual: Traffic | undefined,
): Finding[] {
  const { serverErrors } = traffic;
  const told = toldRequests(traffic);
  if (told === 0) return [];
  if (limits.maxErrorPercent > 0) return evaluateLimit(limits.maxErrorPercent / 100, traffic);
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
function evaluateLimit(allowed: number, traffic: Traffic): Finding[] {
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
export function evaluateClientErrors(traffic: Traffic, usual: Traffic | undefined): Finding[] {
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

export function evaluateLatency(
  { latencySeconds }: AnalysisLimits,
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
export function evaluateSlower(
  limits: AnalysisLimits,
  traffic: Traffic,
  usual: Traffic | undefined,
): Finding[] {
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
