import type { V1Pod } from "../kubernetes/client.js";
import { otherColor, type Color } from "../app/color.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { isCurrent, podsOfColor, runsTemplate, type AskPod } from "../kubernetes/pods.js";
import { mapBounded } from "../util/mapBounded.js";
import type { PrometheusQuery, WatchLimits } from "./limits.js";
import { maxSamples } from "./logLines.js";
import type { WatchTarget } from "./look.js";
import { podState, type PodState } from "./podState.js";
import type { MetricsSource, RequestCounters } from "./requestMetrics.js";
import { askPrometheus, type QueryReading } from "./prometheus.js";
import { readCounters, readPod, type PodLog } from "./readPod.js";
import type { CountedPod, LogReading, Reading, RouterReading } from "./reading.js";
import { askRouter } from "./routerRequests.js";
import { summarize } from "./summary.js";
import { measuredRequests, trafficOf, type Counts, type Traffic } from "./traffic.js";
import { askWebhook } from "./webhook.js";

/** What a reading may cost at the most. */
export interface ReadingBounds {
  /** The whole of it; what has not answered by then is left out, and that is said. */
  totalMs: number;
  /** Each answer of a pod, and each log. */
  timeoutMs: number;
  /** Pods that are read at the same time. */
  atOnce: number;
  /** Of one pod's log. */
  logBytes: number;
  /** Of all pods' logs together. */
  allLogBytes: number;
}

/**
 * 1,000 pods that answer in 50 ms, metrics and log, take 6 s with 16 at a time. Two or three that hang
 * do not hold up the others; where most hang, 20 s are still less than the usual 30 s between two readings.
 * 256 KiB are some 1,000 lines: enough to see that a version logs errors, for 128 pods in full.
 */
export const readingBounds: ReadingBounds = {
  totalMs: 20_000,
  timeoutMs: 3000,
  atOnce: 16,
  logBytes: 256 * 1024,
  allLogBytes: 32 * 1024 * 1024,
};

/** Before the flip: what the version is compared to. Plain data. */
export interface Baseline {
  /** The color that is to take over: its restarts and log lines of before do not count. */
  reading: Reading;
  /**
   * What the color that serves users now has answered since its pods started: the usual share of errors.
   * Absent at the first release.
   */
  usual?: Traffic;
  /** What Prometheus said of that color. */
  usualQueries?: QueryReading[];
  /** Errors that the logs of that color had, for each pod and second. Absent where none could be read. */
  usualLogErrors?: number;
  /**
   * What the pods of that color had counted: with a share, users stay on both, and what each color really got
   * is told by both.
   */
  beside?: CountedPod[];
  /** The same as its router had; absent where nobody asks it. */
  besideRouter?: RouterReading;
}

/** Of a move that nobody watches. */
export const noBaseline: Baseline = {
  reading: { pods: [], logs: { errors: 0, samples: [], cutPods: 0, unreadPods: 0 }, queries: [] },
};

export interface BaselineOptions {
  ask: AskPod;
  limits: WatchLimits;
  /** The color that serves users now, if there is one. */
  live?: Color | undefined;
  /** Ends it early. */
  signal?: AbortSignal;
  bounds?: ReadingBounds;
}

/** @throws when the pods cannot be listed in time, or the signal came */
export async function takeBaseline(
  cluster: Cluster,
  target: WatchTarget,
  { ask, limits, live, signal, bounds = readingBounds }: BaselineOptions,
): Promise<Baseline> {
  const { metrics, intervalSeconds: seconds } = limits;
  const ending = endingOf(bounds, signal);
  const options = { ask, metrics, bounds, signal: ending };
  const [router, read] = await Promise.all([
    askRouter(limits, target.color, ending),
    podsOf(cluster, target, ending).then((pods) => readPods(cluster, pods, options)),
  ]);
  const reading: Reading = { ...read, queries: [], ...(router !== undefined && { router }) };
  if (live === undefined) return { reading };
  const livePods = (await podsOfColor(cluster, { app: target.app, color: live }, ending)).filter(isCurrent);
  // As far back as one interval of the analysis.
  const [{ pods, logs }, usualRouter, usualQueries] = await Promise.all([
    readPods(cluster, livePods, { ...options, elapsedSeconds: seconds }),
    askRouter(limits, live, ending),
    askPrometheus(
      { ...limits, prometheusQueries: limits.prometheusQueries.filter(isOfBefore) },
      live,
      ending,
    ),
  ]);
  signal?.throwIfAborted();
  const readPodLogs = pods.length - logs.unreadPods;
  const beside = pods.map(({ name, counters, answered }) =>
    countedPod(name, answered ? counters : undefined),
  );
  return {
    reading,
    usual: trafficOf(limits, nothingYet, {
      pods,
      ...(usualRouter !== undefined && { router: usualRouter }),
    }),
    ...(usualQueries.length > 0 && { usualQueries }),
    ...(readPodLogs > 0 && { usualLogErrors: logs.errors / (readPodLogs * seconds) }),
    beside,
    ...(usualRouter !== undefined && { besideRouter: usualRouter }),
  };
}

/** Others are held to a number, or to the other color at the same time: their answer of before is nothing to them. */
function isOfBefore({ comparedWith, maxTimes }: PrometheusQuery): boolean {
  return comparedWith === "before" && maxTimes !== undefined;
}

/** What has been counted since it began: nothing comes before it. */
const nothingYet: Counts = { pods: [], router: { counted: [] } };

/** What each pod of a color has counted since it started. */
export function readCounts(
  cluster: Cluster,
  color: { app: string; color: Color },
  { ask, metrics, signal }: Pick<PodsOptions, "ask" | "metrics" | "signal">,
): Promise<CountedPod[]> {
  return countPods(cluster, color, {
    ask,
    metrics,
    bounds: readingBounds,
    signal: endingOf(readingBounds, signal),
  });
}

/** What the color has got that traffic was shared out with, by whoever config believes. */
export async function readBeside(
  cluster: Cluster,
  color: { app: string; color: Color },
  { beside, besideRouter }: Pick<Baseline, "beside" | "besideRouter">,
  { limits, ask, signal }: { limits: WatchLimits; ask: AskPod; signal: AbortSignal },
): Promise<number | null> {
  if (beside === undefined) return null;
  const [pods, router] = await Promise.all([
    readCounts(cluster, color, { ask, metrics: limits.metrics, signal }),
    askRouter(limits, color.color, signal),
  ]);
  return measuredRequests(
    trafficOf(
      limits,
      { pods: beside, ...(besideRouter !== undefined && { router: besideRouter }) },
      { pods, ...(router !== undefined && { router }) },
    ),
  );
}

async function countPods(
  cluster: Cluster,
  color: { app: string; color: Color },
  { ask, metrics, bounds, signal }: Pick<PodsOptions, "ask" | "metrics" | "bounds" | "signal">,
): Promise<CountedPod[]> {
  const pods = (await podsOfColor(cluster, color, signal)).filter(isCurrent);
  return mapBounded(pods, bounds.atOnce, async (pod) => {
    const counters = await readCounters(pod, { cluster, ask, metrics, timeoutMs: bounds.timeoutMs, signal });
    return countedPod(nameOf(pod), counters);
  });
}

function countedPod(name: string, counters: RequestCounters | undefined): CountedPod {
  return { name, answered: counters !== undefined, ...(counters !== undefined && { counters }) };
}

export interface ReadingOptions {
  limits: WatchLimits;
  ask: AskPod;
  /** The reading before this one, the baseline's at first. Without one, nothing of the past counts. */
  before?: Reading | undefined;
  /** From its start to now, by a clock that only goes forward. */
  elapsedSeconds?: number | undefined;
  /** Ends it early. */
  signal?: AbortSignal;
  bounds?: ReadingBounds;
}

/**
 * Looks at all pods of a color: one request to the API server for their state, and for each pod one to itself
 * for its metrics and one for its log. What does not answer is missing in the reading, and no error.
 * @throws when the pods cannot be listed in time, or the signal came
 */
export async function takeReading(
  cluster: Cluster,
  target: WatchTarget,
  { limits, ask, before, elapsedSeconds, signal, bounds = readingBounds }: ReadingOptions,
): Promise<Reading> {
  const ending = endingOf(bounds, signal);
  const [read, beside, router, queries] = await Promise.all([
    podsOf(cluster, target, ending).then((pods) =>
      readPods(cluster, pods, {
        ask,
        metrics: limits.metrics,
        bounds,
        signal: ending,
        before,
        elapsedSeconds,
      }),
    ),
    statesBeside(cluster, target, ending),
    askRouter(limits, target.color, ending),
    askPrometheus(limits, target.color, ending),
  ]);
  const reading: Reading = {
    ...read,
    queries,
    ...(router !== undefined && { router }),
    ...(beside.length > 0 && { beside }),
  };
  if (limits.webhookUrl !== "" && before !== undefined)
    reading.opinion = await askWebhook(limits.webhookUrl, summarize(target, limits, before, reading), ending);
  signal?.throwIfAborted();
  return reading;
}

function endingOf({ totalMs }: ReadingBounds, signal: AbortSignal | undefined): AbortSignal {
  const end = AbortSignal.timeout(totalMs);
  return signal === undefined ? end : AbortSignal.any([end, signal]);
}

/** Of the revision that is watched. */
async function podsOf(cluster: Cluster, target: WatchTarget, signal: AbortSignal): Promise<V1Pod[]> {
  return (await podsOfColor(cluster, target, signal)).filter(
    (pod) => runsTemplate(pod, target.template) && isCurrent(pod),
  );
}

/** What happens to the other color at the same time is no fault of this one. Empty where nothing can be told. */
async function statesBeside(
  cluster: Cluster,
  { app, color }: WatchTarget,
  signal: AbortSignal,
): Promise<PodState[]> {
  const pods = await podsOfColor(cluster, { app, color: otherColor(color) }, signal).catch(() => []);
  return pods.filter(isCurrent).map(podState);
}

interface PodsOptions {
  ask: AskPod;
  metrics: MetricsSource;
  bounds: ReadingBounds;
  signal: AbortSignal;
  before?: Reading | undefined;
  elapsedSeconds?: number | undefined;
}

async function readPods(
  cluster: Cluster,
  pods: V1Pod[],
  { ask, metrics, bounds, signal, before, elapsedSeconds }: PodsOptions,
): Promise<Pick<Reading, "pods" | "logs">> {
  const startedAt = performance.now();
  const now = () => (performance.now() - startedAt) / 1000;
  const limitBytes = Math.min(bounds.logBytes, Math.floor(bounds.allLogBytes / pods.length));
  const earlier = new Map(before?.pods.map((pod) => [pod.name, pod]));
  const read = await mapBounded(pods, bounds.atOnce, (pod) =>
    readPod(pod, {
      cluster,
      ask,
      metrics,
      timeoutMs: bounds.timeoutMs,
      signal,
      limitBytes,
      now,
      before: earlier.get(nameOf(pod)),
      elapsedSeconds,
    }),
  );
  return { pods: read.map(({ pod }) => pod), logs: addLogs(read) };
}

function addLogs(read: readonly { pod: { name: string }; log: PodLog }[]): LogReading {
  const count = (state: PodLog["state"]) => read.filter(({ log }) => log.state === state).length;
  return {
    errors: read.reduce((total, { log }) => total + log.errors, 0),
    samples: read
      .flatMap(({ pod, log }) => log.samples.map((message) => `${pod.name}: ${message}`))
      .slice(0, maxSamples),
    cutPods: count("cut"),
    unreadPods: count("unread"),
  };
}

function nameOf({ metadata }: V1Pod): string {
  return metadata?.name ?? "(unnamed)";
}
