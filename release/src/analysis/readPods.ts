import type { V1Pod } from "../kubernetes/client.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { isCurrent, podsOfColor, podsOfWorkers, runsTemplate, type AskPod } from "../kubernetes/pods.js";
import { mapBounded } from "../util/mapBounded.js";
import { maxSamples } from "./logLines.js";
import type { AnalysisTarget } from "./endpointState.js";
import type { AnalysisLimits } from "./limits.js";
import type { MetricsSource } from "./metricsSource.js";
import { podState, type PodState } from "./podState.js";
import type { RequestCounters } from "./requestCounters.js";
import { readPod, type PodLog } from "./readPod.js";
import type { CountedPod, LogObservation, Observation } from "./observation.js";

/** What an observation may cost at the most. */
export interface ObservationBounds {
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
 * do not hold up the others; where most hang, 20 s are still less than the usual 30 s between two observations.
 * 256 KiB are some 1,000 lines: enough to see that a version logs errors, for 128 pods in full.
 */
export const observationBounds: ObservationBounds = {
  totalMs: 20_000,
  timeoutMs: 3000,
  atOnce: 16,
  logBytes: 256 * 1024,
  allLogBytes: 32 * 1024 * 1024,
};

export function endingOf({ totalMs }: ObservationBounds, signal: AbortSignal | undefined): AbortSignal {
  const end = AbortSignal.timeout(totalMs);
  return signal === undefined ? end : AbortSignal.any([end, signal]);
}

export interface PodsOptions {
  ask: AskPod;
  metrics: MetricsSource;
  bounds: ObservationBounds;
  signal: AbortSignal;
  before?: Observation | undefined;
  elapsedSeconds?: number | undefined;
}

export async function readPods(
  cluster: Cluster,
  pods: V1Pod[],
  { ask, metrics, bounds, signal, before, elapsedSeconds }: PodsOptions,
): Promise<Pick<Observation, "pods" | "logs">> {
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

function addLogs(read: readonly { pod: { name: string }; log: PodLog }[]): LogObservation {
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

/** Of the revision that is analyzed. */
export async function podsOf(
  cluster: Cluster,
  target: AnalysisTarget,
  signal: AbortSignal,
): Promise<V1Pod[]> {
  return (await podsOfColor(cluster, target, signal)).filter(
    (pod) => runsTemplate(pod, target.template) && isCurrent(pod),
  );
}

/**
 * The workers of that revision, in no request where the app has none. @throws when they cannot be listed: their
 * restarts of before would all be new then
 */
export async function workersOf(
  cluster: Cluster,
  target: AnalysisTarget,
  { workers }: Pick<AnalysisLimits, "workers">,
  signal: AbortSignal,
): Promise<PodState[]> {
  if (workers === undefined) return [];
  const pods = await podsOfWorkers(cluster, target, undefined, signal);
  return pods.filter((pod) => runsTemplate(pod, target.template) && isCurrent(pod)).map(podState);
}

export function countedPod(name: string, counters: RequestCounters | undefined): CountedPod {
  return { name, answered: counters !== undefined, ...(counters !== undefined && { counters }) };
}

export function nameOf({ metadata }: V1Pod): string {
  return metadata?.name ?? "(unnamed)";
}
