import type { V1ContainerStatus, V1Pod } from "../kubernetes/client.js";

/** Why a pod will not become ready by waiting. */
export interface PodTrouble {
  pod: string;
  reason: string;
  message: string;
  /** True where no amount of waiting helps; false where it may pass (an image that is being pushed, a Secret on its way). */
  final: boolean;
}

/** Reasons that may pass by themselves, so they count only when they persist. */
const mayPass = new Set(["ImagePullBackOff", "ErrImagePull", "CreateContainerConfigError", "CreateContainerError", "RunContainerError"]);

/** From this many restarts on, a container is called crash-looping. One restart may be a start-up race. */
const crashLoopRestarts = 2;

/** The first thing wrong with a pod that keeps it from becoming ready, if there is one. */
export function findTrouble(pod: V1Pod): PodTrouble | undefined {
  const name = pod.metadata?.name ?? "(unnamed)";
  for (const status of pod.status?.containerStatuses ?? []) {
    const trouble = containerTrouble(status);
    if (trouble !== undefined) return { pod: name, ...trouble };
  }
  return undefined;
}

function containerTrouble(status: V1ContainerStatus): Omit<PodTrouble, "pod"> | undefined {
  const waiting = status.state?.waiting;
  if (waiting?.reason === "InvalidImageName") {
    return { reason: waiting.reason, message: waiting.message ?? status.image, final: true };
  }
  if (waiting?.reason !== undefined && mayPass.has(waiting.reason)) {
    return { reason: waiting.reason, message: waiting.message ?? status.image, final: false };
  }
  if (!status.ready && status.restartCount >= crashLoopRestarts) {
    const last = status.lastState?.terminated ?? status.state?.terminated;
    const exit = last === undefined ? "" : `last exit code ${last.exitCode}${last.reason === undefined ? "" : ` (${last.reason})`}`;
    return { reason: "CrashLoop", message: `restarted ${status.restartCount} times, ${exit}`, final: true };
  }
  return undefined;
}
