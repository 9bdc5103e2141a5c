import type { V1Pod } from "../kubernetes/client.js";
import type { Color } from "../color.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { isCurrent, podsOfColor, runsTemplate, type AskPod } from "../kubernetes/pods.js";
import { mapBounded } from "../mapBounded.js";
import type { WatchLimits } from "./limits.js";
import { maxSamples } from "./logLines.js";
import type { WatchTarget } from "./look.js";
import { askPrometheus } from "./prometheus.js";
import { readCounters, readPod, type PodLog } from "./readPod.js";
import type { LogReading, Reading } from "./reading.js";
import { summarize } from "./summary.js";
import { trafficBetween, type CountedPod, type Traffic } from "./traffic.js";
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
export const readingBounds: ReadingBounds = { totalMs: 20_000, timeoutMs: 3000, atOnce: 16, logBytes: 256 * 1024, allLogBytes: 32 * 1024 * 1024 };

/** Before the flip: what the version is compared to. Plain data. */
export interface Baseline {
  /** The color that is to take over: its restarts and log lines of before do not count. */
  reading: Reading;
  /**
   * What the color that serves users now has answered since its pods started: the usual share of errors.
   * Absent at the first release.
   */
  usual?: Traffic;
  /** What the pods of that color had counted: with a share, users stay on both, and what each color really got is told by both. */
  beside?: CountedPod[];
}

/** Of a move that nobody watches. */
export const noBaseline: Baseline = { reading: { pods: [], logs: { errors: 0, samples: [], cutPods: 0, unreadPods: 0 }, queries: [] } };

export interface BaselineOptions {
  ask: AskPod;
  /** The color that serves users now, if there is one. */
  live?: Color | undefined;
  /** Ends it early. */
  signal?: AbortSignal;
  bounds?: ReadingBounds;
}

/** @throws when the pods cannot be listed in time, or the signal came */
export async function takeBaseline(cluster: Cluster, target: WatchTarget, { ask, live, signal, bounds = readingBounds }: BaselineOptions): Promise<Baseline> {
  const ending = endingOf(bounds, signal);
  const reading: Reading = { ...(await readPods(cluster, target, { ask, bounds, signal: ending })), queries: [] };
  if (live === undefined) return { reading };
  const beside = await countPods(cluster, { app: target.app, color: live }, { ask, bounds, signal: ending });
  signal?.throwIfAborted();
  return { reading, usual: trafficBetween([], beside), beside };
}

/** What each pod of a color has counted since it started. */
export function readCounts(cluster: Cluster, color: { app: string; color: Color }, ask: AskPod, signal: AbortSignal): Promise<CountedPod[]> {
  return countPods(cluster, color, { ask, bounds: readingBounds, signal: endingOf(readingBounds, signal) });
}

async function countPods(cluster: Cluster, color: { app: string; color: Color }, { ask, bounds, signal }: Pick<PodsOptions, "ask" | "bounds" | "signal">): Promise<CountedPod[]> {
  const pods = (await podsOfColor(cluster, color, signal)).filter(isCurrent);
  return mapBounded(pods, bounds.atOnce, async (pod) => {
    const counters = await readCounters(pod, { cluster, ask, timeoutMs: bounds.timeoutMs, signal });
    return { name: nameOf(pod), answered: counters !== undefined, ...(counters !== undefined && { counters }) };
  });
}

export interface ReadingOptions {
  limits: WatchLimits;
  ask: AskPod;
  /** The reading before this one, the baseline's at first. */
  before: Reading;
  /** From its start to now, by a clock that only goes forward. */
  elapsedSeconds: number;
  /** Ends it early. */
  signal?: AbortSignal;
  bounds?: ReadingBounds;
}

/**
 * Looks at all pods of a color: one request to the API server for their state, and for each pod one to itself
 * for its metrics and one for its log. What does not answer is missing in the reading, and no error.
 * @throws when the pods cannot be listed in time, or the signal came
 */
export async function takeReading(cluster: Cluster, target: WatchTarget, { limits, ask, before, elapsedSeconds, signal, bounds = readingBounds }: ReadingOptions): Promise<Reading> {
  const ending = endingOf(bounds, signal);
  const [read, queries] = await Promise.all([readPods(cluster, target, { ask, bounds, signal: ending, before, elapsedSeconds }), askPrometheus(limits, ending)]);
  const reading: Reading = { ...read, queries };
  if (limits.webhookUrl !== "") reading.opinion = await askWebhook(limits.webhookUrl, summarize(target, before, reading), ending);
  signal?.throwIfAborted();
  return reading;
}

function endingOf({ totalMs }: ReadingBounds, signal: AbortSignal | undefined): AbortSignal {
  const end = AbortSignal.timeout(totalMs);
  return signal === undefined ? end : AbortSignal.any([end, signal]);
}

interface PodsOptions {
  ask: AskPod;
  bounds: ReadingBounds;
  signal: AbortSignal;
  before?: Reading;
  elapsedSeconds?: number;
}

async function readPods(cluster: Cluster, target: WatchTarget, { ask, bounds, signal, before, elapsedSeconds }: PodsOptions): Promise<Pick<Reading, "pods" | "logs">> {
  const startedAt = performance.now();
  const now = () => (performance.now() - startedAt) / 1000;
  const pods = (await podsOfColor(cluster, target, signal)).filter((pod) => runsTemplate(pod, target.template) && isCurrent(pod));
  const limitBytes = Math.min(bounds.logBytes, Math.floor(bounds.allLogBytes / pods.length));
  const earlier = new Map(before?.pods.map((pod) => [pod.name, pod]));
  const read = await mapBounded(pods, bounds.atOnce, (pod) =>
    readPod(pod, { cluster, ask, timeoutMs: bounds.timeoutMs, signal, limitBytes, now, before: earlier.get(nameOf(pod)), elapsedSeconds }),
  );
  return { pods: read.map(({ pod }) => pod), logs: addLogs(read) };
}

function addLogs(read: readonly { pod: { name: string }; log: PodLog }[]): LogReading {
  const count = (state: PodLog["state"]) => read.filter(({ log }) => log.state === state).length;
  return {
    errors: read.reduce((total, { log }) => total + log.errors, 0),
    samples: read.flatMap(({ pod, log }) => log.samples.map((message) => `${pod.name}: ${message}`)).slice(0, maxSamples),
    cutPods: count("cut"),
    unreadPods: count("unread"),
  };
}

function nameOf({ metadata }: V1Pod): string {
  return metadata?.name ?? "(unnamed)";
}
