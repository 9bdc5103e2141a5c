import type { V1Pod } from "../kubernetes/client.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { appContainer } from "../kubernetes/containers.js";
import {
  isCurrent,
  podsOfColor,
  podsOfWorkers,
  runsTemplate,
  whereIs,
  type AskPod,
} from "../kubernetes/pods.js";
import { withSignal } from "../kubernetes/requests.js";
import { NoAnswerError } from "../util/http.js";
import { mapBounded } from "../util/mapBounded.js";
import type { AnalysisLimits, MetricsSource } from "./limits.js";
import { maxSamples, readLogErrors } from "./logLines.js";
import {
  podState,
  type AnalysisTarget,
  type PodState,
  type CountedPod,
  type LogObservation,
  type Observation,
  type LogPosition,
  type PodObservation,
} from "./observation.js";
import type { RequestCounters } from "./requestCounters.js";
import { maxMetricsBytes, RequestText } from "./requestMetrics.js";

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

/** What reading one pod takes. */
interface PodAccess {
  cluster: Cluster;
  ask: AskPod;
  /** Where its metrics are. */
  metrics: MetricsSource;
  /** For each of its answers. */
  timeoutMs: number;
  /** Ends the observation of all pods. */
  signal: AbortSignal;
}

interface LogAccess extends PodAccess {
  limitBytes: number;
  /** Seconds since the observation of all pods began. */
  now: () => number;
  /** The pod at the observation before, when it was there. */
  before: PodObservation | undefined;
  /**
   * From the start of the observation before to the start of this one. Undefined when this is the first: what was
   * logged earlier is none of its business.
   */
  elapsedSeconds: number | undefined;
}

/** What a pod's log said since the observation before. */
interface PodLog {
  errors: number;
  samples: string[];
  /** unread: it could not be had; none: the pod has not started yet. */
  state: "read" | "cut" | "unread" | "none";
}

/** Undefined when it does not answer, or has no such metrics. */
export async function readCounters(
  pod: V1Pod,
  { ask, metrics, timeoutMs, signal }: PodAccess,
): Promise<RequestCounters | undefined> {
  const { path, port } = metrics;
  const bounds = { maxBytes: maxMetricsBytes, timeoutMs, signal, ...(port !== 0 && { port }) };
  const requests = new RequestText(metrics);
  try {
    // What comes at once comes at the end.
    requests.add(await ask(pod, path, { ...bounds, onText: requests.add }));
    return requests.counters();
  } catch (error) {
    if (error instanceof NoAnswerError) return undefined;
    throw error;
  }
}

/** One after the other: what bounds the pods that are read at a time bounds the requests. */
async function readPod(pod: V1Pod, access: LogAccess): Promise<{ pod: PodObservation; log: PodLog }> {
  const state = podState(pod);
  const counters = await readCounters(pod, access);
  const known = counters ?? access.before?.counters;
  const { position, ...log } = await readLog(pod, state, access);
  return {
    pod: {
      ...state,
      answered: counters !== undefined,
      ...(known !== undefined && { counters: known }),
      log: position,
    },
    log,
  };
}

async function readLog(
  pod: V1Pod,
  state: PodState,
  access: LogAccess,
): Promise<PodLog & { position: LogPosition }> {
  const { before, now, elapsedSeconds, limitBytes } = access;
  const last = before?.log.last;
  // Of a pod that was not there, all since the observation before.
  const readUpTo = (before?.log.readAt ?? 0) - (elapsedSeconds ?? 0);
  const unread = {
    errors: 0,
    samples: [],
    position: { ...(last !== undefined && { last }), readAt: readUpTo },
  };
  if (pod.status?.phase === "Pending") return { ...unread, state: "none" };
  const readAt = now();
  try {
    if (elapsedSeconds === undefined) {
      // Only the time of its last line: what comes later counts.
      const { last: latest } = readLogErrors(await askLog(pod, access, { tailLines: 1 }));
      return {
        errors: 0,
        samples: [],
        state: "read",
        position: { ...(latest !== undefined && { last: latest }), readAt },
      };
    }
    // Of whole seconds, and one more for the way there: lines that come again are known by their time.
    const sinceSeconds = Math.ceil(readAt - readUpTo) + 1;
    // A process that has ended says why in its own log, which Kubernetes keeps apart. It may be gone.
    const hasRestarted = state.restarts > (before?.restarts ?? 0);
    const earlier = hasRestarted
      ? await askLog(pod, access, { sinceSeconds, previous: true }).catch(() => "")
      : "";
    const current = await askLog(pod, access, { sinceSeconds });
    const ended = readLogErrors(earlier, { after: last, isCut: isCut(earlier, limitBytes) });
    const running = readLogErrors(current, { after: ended.last, isCut: isCut(current, limitBytes) });
    return {
      errors: ended.errors + running.errors,
      samples: [...ended.samples, ...running.samples],
      state: isCut(earlier, limitBytes) || isCut(current, limitBytes) ? "cut" : "read",
      position: { ...(running.last !== undefined && { last: running.last }), readAt },
    };
  } catch {
    // The API server cannot reach the node, the container is gone, or the time is over.
    return { ...unread, state: "unread" };
  }
}

function askLog(
  pod: V1Pod,
  { cluster, timeoutMs, signal, limitBytes }: LogAccess,
  part: { tailLines: number } | { sinceSeconds: number; previous?: true },
): Promise<string> {
  const container = appContainer(pod)?.name;
  return cluster.core.readNamespacedPodLog(
    {
      ...whereIs(pod),
      ...(container !== undefined && { container }),
      timestamps: true,
      limitBytes,
      ...part,
    },
    withSignal(AbortSignal.any([AbortSignal.timeout(timeoutMs), signal])),
  );
}

function isCut(log: string, limitBytes: number): boolean {
  return Buffer.byteLength(log) >= limitBytes;
}
