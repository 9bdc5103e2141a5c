import type { AnalysisLimits } from "./limits.js";
import type { AnalysisTarget, Observation } from "./observation.js";
import type { QueryObservation } from "./prometheus.js";
import { errorRatio, trafficOf, type Traffic } from "./traffic.js";

/** An observation in figures: what a web hook is shown. */
export interface ObservationSummary {
  app: string;
  color: string;
  /** Since the observation before. */
  traffic: Traffic;
  pods: { total: number; ready: number; restarts: number };
  /** Since the observation before. */
  logErrors: number;
  queries: QueryObservation[];
}

export function summarize(
  { app, color }: AnalysisTarget,
  limits: AnalysisLimits,
  before: Observation,
  now: Observation,
): ObservationSummary {
  const { pods, logs, queries } = now;
  return {
    app,
    color,
    traffic: trafficOf(limits, before, now),
    pods: {
      total: pods.length,
      ready: pods.filter(({ ready }) => ready).length,
      restarts: pods.reduce((total, { restarts }) => total + restarts, 0),
    },
    logErrors: logs.errors,
    queries,
  };
}

/** What of a summary is kept. Null is not measured. */
export function figuresOf({ traffic, pods, logErrors }: ObservationSummary) {
  const isMeasured = traffic.measuredPods > 0;
  return {
    requests: isMeasured ? traffic.requests : null,
    errorRatio: errorRatio(traffic) ?? null,
    p99Seconds: traffic.p99Seconds ?? null,
    ready: pods.ready,
    pods: pods.total,
    logErrors,
  };
}

export interface Interval {
  limits: AnalysisLimits;
  /** What the two observations came to. */
  seen: ObservationSummary;
  /** The later one. */
  now: Observation;
  /** Since the start of the analysis. */
  atSeconds: number;
  /** How long it continues. */
  totalSeconds: number;
  score: number;
}

/** One line for people: what was seen between two observations, and what could not be seen. */
export function describeInterval({
  limits,
  seen: { color, traffic, pods, logErrors },
  now,
  atSeconds,
  totalSeconds,
  score,
}: Interval): string {
  return [
    `analysis of ${color} ${clock(atSeconds)} of ${clock(totalSeconds)}`,
    describeTraffic(traffic, now),
    `${pods.ready}/${pods.total} pods ready`,
    ...(logErrors > 0 ? [`${logErrors} log errors`] : []),
    `score ${points(score)} of ${limits.failureThreshold}`,
    ...describeGaps(traffic, now),
  ].join(" · ");
}

/** A figure that was not measured is said to be none: it is no sign of health. */
function describeTraffic(traffic: Traffic, { router }: Observation): string {
  const { measuredPods, requests, unclassified, averageSeconds, p99Seconds } = traffic;
  if (measuredPods === 0)
    return router !== undefined && "noData" in router
      ? `no data of the router: ${router.noData}`
      : "no data: no pod gave its metrics";
  if (requests === 0) return "no data: nobody used it";
  const ratio = errorRatio(traffic);
  const errors =
    ratio === undefined
      ? "no data: errors (no label tells the status of a request)"
      : `${percent(ratio)} errors${unclassified > 0 ? ` (no status of ${unclassified})` : ""}`;
  const latency =
    p99Seconds !== undefined
      ? `p99 ${span(p99Seconds)}`
      : averageSeconds !== undefined
        ? `average ${span(averageSeconds)}`
        : "no data: latency";
  return `${requests} requests, ${errors}, ${latency}`;
}

function describeGaps({ pods, measuredPods }: Traffic, { logs, queries, webhook }: Observation): string[] {
  return [
    ...(measuredPods > 0 && measuredPods < pods
      ? [`no metrics from ${pods - measuredPods} of ${pods} pods`]
      : []),
    ...(logs.unreadPods > 0 ? [`no log from ${logs.unreadPods} of ${pods} pods`] : []),
    ...(logs.cutPods > 0 ? [`only a part of the log of ${logs.cutPods} of ${pods} pods`] : []),
    ...queries.flatMap((query) =>
      "noData" in query ? [`no data from query ${query.name}: ${query.noData}`] : [],
    ),
    ...(webhook !== undefined && "noData" in webhook ? [`no data from the web hook: ${webhook.noData}`] : []),
  ];
}

/** 0:30, 10:00, 24:00:00 */
export function clock(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (number: number) => String(number).padStart(2, "0");
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** Points are parts of one where many pods share them: 3, 0.4 */
export function points(score: number): string {
  return String(Math.round(10 * score) / 10);
}

/** 0.4 %, and never 0.0 % for what is more than nothing. */
export function percent(ratio: number): string {
  const text = (100 * ratio).toFixed(1);
  return ratio > 0 && text === "0.0" ? "< 0.1 %" : `${text} %`;
}

/** 40 ms, 1.2 s */
export function span(seconds: number): string {
  return seconds < 1 ? `${Math.round(1000 * seconds)} ms` : `${Number(seconds.toFixed(1))} s`;
}

export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
