import type { V1Pod } from "../kubernetes/client.js";
import { otherColor, type Color } from "../app/color.js";
import { readyPodsBehind } from "../kubernetes/endpoints.js";
import type { Cluster } from "../kubernetes/cluster.js";
import type { NamespacedName } from "../app/namespaces.js";
import { isCurrent, isReady, podsOfColor, runsTemplate } from "../kubernetes/pods.js";
import { podState, type PodState } from "./podState.js";

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
