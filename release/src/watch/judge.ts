import type { WatchLimits } from "./limits.js";
import type { Look } from "./look.js";
import type { Baseline } from "./observe.js";
import { isCrashing, type PodState } from "./podState.js";
import type { PodReading, Reading } from "./reading.js";
import { percent, span } from "./summary.js";
import { trafficBetween, type Traffic } from "./traffic.js";

/** Something that speaks against a version. */
export interface Finding {
  what: "restarts" | "oomKills" | "logErrors" | "latency" | "serverErrors" | "notReady" | "query" | "webhook" | "noEndpoint" | "allCrashing";
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
  /** All that counts now, oldest first. The next verdict needs it. Before a breach never more than the threshold has points. */
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

/** More than what clients and single upstream failures make of a version that is well. */
const errorRatio = 0.05;
/** A version that has always had errors is not to be blamed for them; three times as many are no chance. */
const usualErrorFactor = 3;
/** A usual ratio of fewer requests is chance. */
const usualRequests = 100;
/** Of four requests in a quiet minute one error is no rate. */
const minErrors = 5;

/** The average of fewer may be one slow request. */
const averageRequests = 5;
/** The 99th percentile of fewer is the slowest one. */
const percentileRequests = 100;

/**
 * When the selector changes, the list of endpoints is rewritten, and a single look may find it between the old
 * ones and the new: one empty list is no breach. Two in a row, a second apart, are; a tick less, because timers may be early.
 */
const emptySeconds = 0.9;

/** At the most so many pods are named. */
const namedPods = 3;

/** The hard limits: users are not served. To be asked about every second. */
export function judgeLook({ reading }: Baseline, { readyEndpoints, emptyForSeconds, pods }: Look): Finding[] {
  const restartsBefore = new Map(reading.pods.map(({ name, restarts }) => [name, restarts]));
  const findings: Finding[] = [];
  if (readyEndpoints > 0) return findings;
  // No color without pods is crashing: it is gone, which the endpoints say.
  if (pods.length > 0 && pods.every((pod) => isCrashing(pod, restartsBefore.get(pod.name) ?? 0))) {
    findings.push({ what: "allCrashing", points: 0, text: `all ${pods.length} pods are crashing: ${list(pods, describeEnd)}`, act: true });
  }
  if (emptyForSeconds >= emptySeconds) {
    findings.push({ what: "noEndpoint", points: 0, text: `no pod is ready behind the active Service, for ${span(emptyForSeconds)}`, act: true });
  }
  return findings;
}

/** What happened between two readings that speaks against the version. No traffic speaks neither for nor against it. */
export function judgeReading(limits: WatchLimits, { usual }: Baseline, before: Reading, now: Reading): Finding[] {
  const traffic = trafficBetween(before.pods, now.pods);
  return [
    ...judgeRestarts(before.pods, now.pods),
    ...judgeReadiness(before.pods, now.pods),
    ...judgeErrors(traffic, usual),
    ...judgeLatency(limits, traffic),
    ...judgeLogs(limits, now),
    ...judgeQueries(now),
    ...judgeOpinion(now),
  ];
}

/**
 * Adds up what counts at this moment.
 * @param evidence of the verdict before
 * @param atSeconds of the findings, from the start of the watch
 */
export function judge({ threshold, seconds }: WatchLimits, evidence: readonly ScoredFinding[], findings: readonly Finding[], atSeconds: number): Verdict {
  const inWindow = [...evidence.filter((finding) => finding.atSeconds > atSeconds - seconds), ...findings.map((finding) => ({ ...finding, atSeconds }))];
  const score = inWindow.reduce((total, { points }) => total + points, 0);
  return { score, isBreach: score >= threshold || findings.some(({ act }) => act === true), evidence: inWindow };
}

function judgeRestarts(before: readonly PodReading[], now: readonly PodReading[]): Finding[] {
  const earlier = new Map(before.map(({ name, restarts }) => [name, restarts]));
  const restarted = now.map((pod) => ({ ...pod, more: pod.restarts - (earlier.get(pod.name) ?? 0) })).filter(({ more }) => more > 0);
  // Only the last end of a container is known.
  const killed = restarted.filter(({ lastEnd }) => lastEnd?.reason === "OOMKilled");
  const others = restarted.reduce((total, { more }) => total + more, 0) - killed.length;
  const findings: Finding[] = [];
  if (killed.length > 0) {
    findings.push({ what: "oomKills", points: killed.length * oomKillPoints, text: `${count(killed.length, "pod")} ran out of memory: ${list(killed, describeEnd)}` });
  }
  if (others > 0) findings.push({ what: "restarts", points: others * restartPoints, text: `${count(others, "restart")}: ${list(restarted, describeEnd)}` });
  return findings;
}

/** A pod that is not ready at one reading may be starting. */
function judgeReadiness(before: readonly PodReading[], now: readonly PodReading[]): Finding[] {
  const unreadyBefore = new Set(before.filter(({ ready }) => !ready).map(({ name }) => name));
  const unready = now.filter(({ name, ready }) => !ready && unreadyBefore.has(name));
  if (unready.length === 0) return [];
  return [{ what: "notReady", points: unready.length * notReadyPoints, text: `${unready.length} of ${count(now.length, "pod")} not ready: ${list(unready, ({ name }) => name)}` }];
}

function judgeErrors({ requests, serverErrors }: Traffic, usual: Traffic | undefined): Finding[] {
  if (serverErrors < minErrors) return [];
  const usualRatio = usual !== undefined && usual.requests >= usualRequests ? usual.serverErrors / usual.requests : 0;
  const allowed = Math.max(errorRatio, usualErrorFactor * usualRatio);
  if (serverErrors / requests <= allowed) return [];
  return [{ what: "serverErrors", points: serverErrors, text: `${serverErrors} of ${count(requests, "request")} failed with 5xx, ${percent(serverErrors / requests)}; ${percent(allowed)} are allowed` }];
}

function judgeLatency({ latencySeconds }: WatchLimits, { requests, averageSeconds, p99Seconds }: Traffic): Finding[] {
  const slow = [
    ...(averageSeconds !== undefined && requests >= averageRequests && averageSeconds > latencySeconds ? [`average ${span(averageSeconds)}`] : []),
    ...(p99Seconds !== undefined && requests >= percentileRequests && p99Seconds > latencySeconds ? [`p99 ${span(p99Seconds)}`] : []),
  ];
  if (slow.length === 0) return [];
  return [{ what: "latency", points: latencyPoints, text: `${slow.join(", ")} over ${count(requests, "request")}; ${span(latencySeconds)} are allowed` }];
}

function judgeLogs({ logErrors }: WatchLimits, { logs }: Reading): Finding[] {
  if (logs.errors <= logErrors) return [];
  return [{ what: "logErrors", points: logs.errors, text: `${count(logs.errors, "error")} in the logs: ${logs.samples.join(" | ")}` }];
}

function judgeQueries({ queries }: Reading): Finding[] {
  return queries.flatMap((query) =>
    "value" in query && query.value > query.max ? [{ what: "query" as const, points: queryPoints, text: `query ${query.name} gives ${query.value}; ${query.max} is allowed` }] : [],
  );
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
