import type { WatchLimits } from "./limits.js";
import type { WatchTarget } from "./look.js";
import type { QueryReading } from "./prometheus.js";
import type { Reading } from "./reading.js";
import { trafficBetween, type Traffic } from "./traffic.js";

/** A reading in figures: what a web hook is shown. */
export interface ReadingSummary {
  app: string;
  color: string;
  /** Since the reading before. */
  traffic: Traffic;
  pods: { total: number; ready: number; restarts: number };
  /** Since the reading before. */
  logErrors: number;
  queries: QueryReading[];
}

export function summarize({ app, color }: WatchTarget, before: Reading, { pods, logs, queries }: Reading): ReadingSummary {
  return {
    app,
    color,
    traffic: trafficBetween(before.pods, pods),
    pods: { total: pods.length, ready: pods.filter(({ ready }) => ready).length, restarts: pods.reduce((total, { restarts }) => total + restarts, 0) },
    logErrors: logs.errors,
    queries,
  };
}

export interface Interval {
  target: WatchTarget;
  limits: WatchLimits;
  before: Reading;
  now: Reading;
  /** Since the start of the watch. */
  atSeconds: number;
  /** How long it goes on. */
  totalSeconds: number;
  score: number;
}

/** One line for people: what was seen between two readings, and what could not be seen. */
export function describeInterval({ target, limits, before, now, atSeconds, totalSeconds, score }: Interval): string {
  const { traffic, pods, logErrors } = summarize(target, before, now);
  return [
    `watch ${target.color} ${clock(atSeconds)} of ${clock(totalSeconds)}`,
    describeTraffic(traffic),
    `${pods.ready}/${pods.total} pods ready`,
    ...(logErrors > 0 ? [`${logErrors} log errors`] : []),
    `score ${score} of ${limits.threshold}`,
    ...describeGaps(traffic, now),
  ].join(" · ");
}

function describeTraffic({ measuredPods, requests, serverErrors, averageSeconds, p99Seconds }: Traffic): string {
  if (measuredPods === 0) return "no data: no pod gave its metrics";
  if (requests === 0) return "no data: nobody used it";
  const latency = p99Seconds === undefined ? `average ${span(averageSeconds ?? 0)}` : `p99 ${span(p99Seconds)}`;
  return `${requests} requests, ${percent(serverErrors / requests)} errors, ${latency}`;
}

function describeGaps({ pods, measuredPods }: Traffic, { logs, queries, opinion }: Reading): string[] {
  return [
    ...(measuredPods > 0 && measuredPods < pods ? [`no metrics from ${pods - measuredPods} of ${pods} pods`] : []),
    ...(logs.unreadPods > 0 ? [`no log from ${logs.unreadPods} of ${pods} pods`] : []),
    ...(logs.cutPods > 0 ? [`only a part of the log of ${logs.cutPods} of ${pods} pods`] : []),
    ...queries.flatMap((query) => ("noData" in query ? [`no data from query ${query.name}: ${query.noData}`] : [])),
    ...(opinion !== undefined && "noData" in opinion ? [`no data from the web hook: ${opinion.noData}`] : []),
  ];
}

/** 0:30, 10:00, 24:00:00 */
export function clock(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (number: number) => String(number).padStart(2, "0");
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
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
