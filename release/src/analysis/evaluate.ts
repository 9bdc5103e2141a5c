import type { AnalysisLimits } from "./limits.js";
import { isCrashing, type EndpointState, type Observation } from "./observation.js";
import type { QueryObservation } from "./prometheus.js";
import type { Baseline } from "./baseline.js";
import { count, span } from "./summary.js";
import type { Traffic } from "./traffic.js";
import {
  describeEnd,
  evaluateReadiness,
  evaluateRestarts,
  list,
  evaluateClientErrors,
  evaluateErrors,
  evaluateLatency,
  evaluateSlower,
  type Finding,
  type ScoredFinding,
} from "./findings.js";

export interface Verdict {
  score: number;
  isBreach: boolean;
  /**
   * All that counts now, oldest first. The next verdict needs it. Before a breach never more than the
   * threshold has points.
   */
  evidence: ScoredFinding[];
}

/** As a slow interval: someone has written down that it must not be. */
const queryPoints = 3;
const webhookPoints = 3;

/** Caches fill, and code is compiled, with the first requests. */
const warmUpSeconds = 30;

/** Of log errors, beside what was usual. */
const usualLogFactor = 3;

/**
 * When the selector changes, the list of endpoints is rewritten, and a single request may find it between the
 * old ones and the new: one empty list is no breach. Two in a row, a second apart, are; a tick less, because
 * timers may be early.
 */
const emptySeconds = 0.9;

/**
 * Points of single pods are for so many: of more pods each counts as its part of them, so that a large app is
 * held to the same as a small one.
 */
const pointedPods = 4;

/**
 * The hard limits: traffic is not served. To be asked about every second. What both colors suffer speaks against
 * neither, and afterwards each has the time that its probe takes to say that it is well.
 */
export function evaluateEndpoints(
  { observation }: Pick<Baseline, "observation">,
  { readyEndpoints, emptyForSeconds, isShared, graceSeconds, pods }: EndpointState,
): Finding[] {
  if (readyEndpoints > 0 || isShared || emptyForSeconds < graceSeconds) return [];
  const restartsBefore = new Map(observation.pods.map(({ name, restarts }) => [name, restarts]));
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

/** What happened between two observations. */
export interface Interval {
  before: Observation;
  now: Observation;
  /** From the one to the other: limits are for an interval of `limits.intervalSeconds`. */
  seconds: number;
  /** What was answered meanwhile, by whoever config believes (trafficOf). */
  traffic: Traffic;
  /** From the moment that traffic moved to the earlier one; absent where none has moved. */
  movedSeconds?: number;
}

/**
 * What happened between two observations that speaks against the version. No traffic speaks neither for nor
 * against it, and no more does what happened to both colors: its cause is what they share.
 */
export function evaluateObservation(
  limits: AnalysisLimits,
  { usual, usualLogErrors, usualQueries = [] }: Omit<Baseline, "observation" | "beside" | "besideRouter">,
  { before, now, seconds, traffic, movedSeconds = 0 }: Interval,
): Finding[] {
  const ofPods = [
    ...evaluateRestarts(before.pods, now.pods),
    ...(isShared(now) ? [] : evaluateReadiness(before.pods, now.pods)),
  ].map((finding) => perPod(finding, now.pods.length));
  const { workers = [] } = now;
  const ofWorkers = evaluateRestarts(before.workers ?? [], workers).map((finding) =>
    perPod(finding, workers.length),
  );
  // One long interval must not weigh more than all the short ones that it stands for.
  const part = Math.min(1, limits.durationSeconds / seconds);
  return [
    ...[...ofPods, ...ofWorkers].map((finding) => ({ ...finding, points: finding.points * part })),
    ...evaluateErrors(limits, traffic, usual),
    ...evaluateClientErrors(traffic, usual),
    ...evaluateLatency(limits, traffic),
    ...(movedSeconds >= warmUpSeconds ? evaluateSlower(limits, traffic, usual) : []),
    ...evaluateLogs(limits, now, { seconds, usualLogErrors }),
    ...evaluateQueries(now, usualQueries),
    ...evaluateWebhook(now),
  ];
}

/** Both colors have pods that are not ready: a database that restarts, a node that is gone. */
function isShared({ beside }: Observation): boolean {
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
export function evaluate(
  { failureThreshold: threshold, durationSeconds: seconds }: AnalysisLimits,
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

/** A log that was noisy before says nothing about this version; three times as many errors do. */
function evaluateLogs(
  { logErrors, intervalSeconds }: AnalysisLimits,
  { logs, pods }: Observation,
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

function evaluateQueries({ queries }: Observation, usual: readonly QueryObservation[]): Finding[] {
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
function whyNot(query: QueryObservation, usual: QueryObservation | undefined): string | undefined {
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

function evaluateWebhook({ webhook }: Observation): Finding[] {
  if (webhook === undefined || !("healthy" in webhook) || webhook.healthy) return [];
  return [{ what: "webhook", points: webhookPoints, text: `the web hook says no: ${webhook.reason}` }];
}
