import { appContainer } from "../kubernetes/containers.js";
import type { V1Pod } from "../kubernetes/client.js";
import { NoAnswerError } from "../util/fetchText.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { whereIs, type AskPod } from "../kubernetes/pods.js";
import { withSignal } from "../kubernetes/withSignal.js";
import { readLogErrors } from "./logLines.js";
import { maxMetricsBytes, RequestText } from "./requestMetrics.js";
import type { MetricsSource } from "./metricsSource.js";
import type { RequestCounters } from "./requestCounters.js";
import { podState, type PodState } from "./podState.js";
import type { LogPosition, PodObservation } from "./observation.js";

/** What reading one pod takes. */
export interface PodAccess {
  cluster: Cluster;
  ask: AskPod;
  /** Where its metrics are. */
  metrics: MetricsSource;
  /** For each of its answers. */
  timeoutMs: number;
  /** Ends the observation of all pods. */
  signal: AbortSignal;
}

export interface LogAccess extends PodAccess {
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
export interface PodLog {
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
export async function readPod(pod: V1Pod, access: LogAccess): Promise<{ pod: PodObservation; log: PodLog }> {
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
