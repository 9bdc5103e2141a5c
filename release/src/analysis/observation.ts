import { otherColor, type Color, type NamespacedName } from "../app/color.js";
import type { V1ContainerStatus, V1Pod } from "../kubernetes/client.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { isReady, readyPodsBehind, isCurrent, podsOfColor, runsTemplate } from "../kubernetes/pods.js";
import type { QueryObservation } from "./prometheus.js";
import type { RequestCounters } from "./requestCounters.js";
import type { WebhookVerdict } from "./webhook.js";

// Plain data throughout: an observation outlives its process as JSON in a ConfigMap. 1,000 pods take about half a
// megabyte.

/** One pod at one observation. */
export interface PodObservation extends PodState {
  /** Whether it answered with its counters this time. */
  answered: boolean;
  /** The last that are known, which may be those of an observation before. */
  counters?: RequestCounters;
  log: LogPosition;
}

/** What it has counted, and nothing else of it. */
export type CountedPod = Pick<PodObservation, "name" | "answered" | "counters">;

/** What routes requests to a color has counted of them, each of its instances by itself, or why that is not known. */
export type RouterObservation = { counted: CountedPod[] } | { noData: string };

/** How far a pod's log has been read. */
export interface LogPosition {
  /** The time of the last line that was evaluated; absent when there was none. */
  last?: string;
  /**
   * When it was last read, in seconds from the start of this observation: negative where it could not be read
   * this time. No clock is in it, so no clock can be wrong.
   */
  readAt: number;
}

/** The logs of all pods between two observations. */
export interface LogObservation {
  errors: number;
  /** Up to three messages, with the pods they are from. */
  samples: string[];
  /** Pods with more lines than were read. */
  cutPods: number;
  /** Pods whose log could not be read. */
  unreadPods: number;
}

/** A color at one time, and what it logged since the observation before. */
export interface Observation {
  pods: PodObservation[];
  logs: LogObservation;
  queries: QueryObservation[];
  /** What the router has counted of this color; absent where nobody asks it. */
  router?: RouterObservation;
  /** The color's workers; absent where it has none. */
  workers?: PodState[];
  /** The pods of the other color at that time; absent where there are none, or they could not be had. */
  beside?: PodState[];
  /** Absent when no web hook is set. */
  webhook?: WebhookVerdict;
}

/** How a container ended. */
interface ContainerEnd {
  /** In Kubernetes' words: OOMKilled, Error, Completed. */
  reason: string;
  exitCode: number;
}

/** What Kubernetes says about a pod. */
export interface PodState {
  name: string;
  ready: boolean;
  /** Of all its containers since the pod was made. */
  restarts: number;
  /** The last end of one of its containers; absent when none has ended. */
  lastEnd?: ContainerEnd;
  /** Kubernetes waits before it starts a container again, because it has ended too often. */
  backsOff: boolean;
}

export function podState(pod: V1Pod): PodState {
  const containers = runningOf(pod);
  const lastEnd = lastEndOf(containers);
  return {
    name: pod.metadata?.name ?? "(unnamed)",
    ready: isReady(pod),
    restarts: containers.reduce((total, { restartCount }) => total + restartCount, 0),
    ...(lastEnd !== undefined && { lastEnd }),
    backsOff: containers.some(({ state }) => state?.waiting?.reason === "CrashLoopBackOff"),
  };
}

/** Those of a pod that serves: its containers and its sidecars, not those that were there to start it. */
function runningOf({ spec, status }: V1Pod): V1ContainerStatus[] {
  const isSidecar = ({ name }: V1ContainerStatus) =>
    spec?.initContainers?.find((each) => each.name === name)?.restartPolicy === "Always";
  return [...(status?.initContainerStatuses ?? []).filter(isSidecar), ...(status?.containerStatuses ?? [])];
}

function lastEndOf(containers: readonly V1ContainerStatus[]): ContainerEnd | undefined {
  const ends = containers.flatMap(({ state, lastState }) => state?.terminated ?? lastState?.terminated ?? []);
  const at = ({ finishedAt }: { finishedAt?: Date }) => finishedAt?.getTime() ?? 0;
  const last = ends.sort((one, other) => at(other) - at(one))[0];
  return last && { reason: last.reason ?? "unknown", exitCode: last.exitCode };
}

/** It has ended and is not back yet, or keeps ending. */
export function isCrashing(pod: PodState, restartsBefore: number): boolean {
  return pod.backsOff || (!pod.ready && pod.restarts > restartsBefore);
}

/** The version that is analyzed. */
export type AnalysisTarget = {
  app: string;
  color: Color;
  /** Hash of its pod template: pods of another revision say nothing about it. */
  template: string;
};

/** What is cheap enough to see every second: whether traffic is served at all. */
export interface EndpointState {
  /** Pods that traffic is sent to. */
  readyEndpoints: number;
  /**
   * Since the first of the states in a row that had none, while the other color had ready pods; 0 at that first
   * one.
   */
  emptyForSeconds: number;
  /** The other color has pods, and none is ready either: its cause is what both share. */
  isShared: boolean;
  /** How long the color may stay without an endpoint: after a shared cause, as long as its probe takes to say so. */
  graceSeconds: number;
  /** Of the color; not read while an endpoint is ready, because then not all of them are crashing. */
  pods: PodState[];
}

/** Both requests together. */
const timeoutMs = 5000;

/**
 * One request, or three to the API server, however many pods there are.
 * @param target service is the Service that sends it requests
 * @param before the state before this one, and how long ago by a clock that only goes forward
 * @throws when the API server does not answer in time
 */
export async function readEndpointState(
  cluster: Cluster,
  target: AnalysisTarget & { service: NamespacedName },
  before?: { state: EndpointState; elapsedSeconds: number },
): Promise<EndpointState> {
  const signal = AbortSignal.timeout(timeoutMs);
  const readyEndpoints = (await readyPodsBehind(cluster, target.service, signal)).length;
  if (readyEndpoints > 0)
    return { readyEndpoints, emptyForSeconds: 0, isShared: false, graceSeconds: 0, pods: [] };
  const [all, beside] = await Promise.all([
    podsOfColor(cluster, target, signal),
    podsOfColor(cluster, { app: target.app, color: otherColor(target.color) }, signal),
  ]);
  const pods = all.filter((pod) => runsTemplate(pod, target.template) && isCurrent(pod));
  const others = beside.filter(isCurrent);
  const isShared = others.length > 0 && !others.some(isReady);
  const empty = before?.state.readyEndpoints === 0 ? before : undefined;
  return {
    readyEndpoints,
    emptyForSeconds:
      empty === undefined || isShared || empty.state.isShared
        ? 0
        : empty.state.emptyForSeconds + empty.elapsedSeconds,
    isShared,
    graceSeconds: isShared ? Math.max(...pods.map(readinessSeconds), 0) : (empty?.state.graceSeconds ?? 0),
    pods: pods.map(podState),
  };
}

/** Until a pod that is well again is said to be ready, at the latest. Kubernetes' own defaults. */
function readinessSeconds({ spec }: V1Pod): number {
  return Math.max(
    ...(spec?.containers ?? []).map(({ readinessProbe: probe }) =>
      probe === undefined
        ? 0
        : (probe.periodSeconds ?? 10) * (probe.successThreshold ?? 1) + (probe.timeoutSeconds ?? 1),
    ),
    0,
  );
}
