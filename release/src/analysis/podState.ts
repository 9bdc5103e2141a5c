import type { V1ContainerStatus, V1Pod } from "../kubernetes/client.js";
import { isReady } from "../kubernetes/pods.js";

/** How a container ended. */
export interface ContainerEnd {
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
