import { shorten } from "../analysis/logLines.js";
import type { Color } from "../app/color.js";
import type { V1ContainerStatus, V1Pod } from "../kubernetes/client.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { appContainer } from "../kubernetes/containers.js";
import { podsOfColor, runsTemplate, whereIs } from "../kubernetes/pods.js";
import { mapBounded } from "../util/mapBounded.js";
import type { Say } from "../util/step.js";
import { messageOf } from "../util/userError.js";

/** What keeps a pod from becoming ready. */
export interface PodProblem {
  pod: string;
  /** The one of its containers that has it, to ask for its log. */
  container: string;
  /** The same for a person, where it is not the app's. */
  beside: string | undefined;
  reason: string;
  message: string;
  /**
   * final: no amount of waiting helps. lasting: it may pass (an image that is being pushed, a Secret on its way),
   * so it counts when it lasts. starting: the next start may be well, so it counts when time is over.
   */
  kind: "final" | "lasting" | "starting";
}

/** Of reasons that take turns, each the same problem: while an image is tried again, it is not there either. */
const problems: Record<string, string> = {
  ImagePullBackOff: "image",
  ErrImagePull: "image",
  CreateContainerConfigError: "start",
  CreateContainerError: "start",
  RunContainerError: "start",
};

/** By which one problem of one container is known again. */
export function keyOf({ pod, container, reason }: PodProblem): string {
  return `${pod}/${container}/${problems[reason] ?? reason}`;
}

/**
 * From this many restarts on, a container that Kubernetes has stopped trying at once is called crash-looping. Two
 * may be a race with a proxy that starts beside it.
 */
const hopelessRestarts = 3;

/** The first thing wrong with a pod, in whichever of its containers, if there is one. */
export function findProblem(pod: V1Pod): PodProblem | undefined {
  const name = pod.metadata?.name ?? "(unnamed)";
  for (const { status, beside } of statusesOf(pod)) {
    const problem = containerProblem(status);
    if (problem !== undefined) return { pod: name, container: status.name, beside, ...problem };
  }
  return undefined;
}

/** In the order in which they start, each with what it is, where it is not the app's. */
function statusesOf(pod: V1Pod): { status: V1ContainerStatus; beside: string | undefined }[] {
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  const app = appContainer(pod)?.name ?? containerStatuses[0]?.name;
  return [
    ...initContainerStatuses.map((status) => ({
      status,
      beside: `${isSidecar(pod, status.name) ? "sidecar" : "init container"} ${status.name}`,
    })),
    ...containerStatuses.map((status) => ({
      status,
      beside: status.name === app ? undefined : `container ${status.name}`,
    })),
  ];
}

/** An init container that continues running beside the others. */
function isSidecar({ spec }: V1Pod, name: string): boolean {
  return spec?.initContainers?.find((each) => each.name === name)?.restartPolicy === "Always";
}

function containerProblem(
  status: V1ContainerStatus,
): Pick<PodProblem, "reason" | "message" | "kind"> | undefined {
  const waiting = status.state?.waiting;
  const { reason, message = status.image } = waiting ?? {};
  if (reason === "InvalidImageName" || reason === "ErrImageNeverPull")
    return { reason, message, kind: "final" };
  if (reason !== undefined && reason in problems) return { reason, message, kind: "lasting" };
  // An init container that has done its work is ready for good.
  if (status.ready || status.restartCount === 0 || status.state?.terminated?.exitCode === 0) return undefined;
  const last = status.lastState?.terminated ?? status.state?.terminated;
  const exit =
    last === undefined
      ? ""
      : `, last exit code ${last.exitCode}${last.reason === undefined ? "" : ` (${last.reason})`}`;
  const isHopeless = reason === "CrashLoopBackOff" && status.restartCount >= hopelessRestarts;
  return {
    reason: "CrashLoop",
    message: `restarted ${status.restartCount} times${exit}`,
    kind: isHopeless ? "final" : "starting",
  };
}

/** What a pod without a problem waits for: a node, in the scheduler's own words, or what runs before the app. */
export function whatItWaitsFor(pod: V1Pod): string | undefined {
  const { conditions = [], initContainerStatuses = [] } = pod.status ?? {};
  const name = pod.metadata?.name ?? "(unnamed)";
  const unscheduled = conditions.find(({ type, status }) => type === "PodScheduled" && status === "False");
  if (unscheduled !== undefined)
    return `pod ${name} has no node: ${unscheduled.message ?? unscheduled.reason ?? "not scheduled"}`;
  const running = initContainerStatuses.find(
    ({ state, started, name: each }) =>
      state?.running !== undefined && !(isSidecar(pod, each) && started === true),
  );
  return (
    running &&
    `pod ${name} waits for ${isSidecar(pod, running.name) ? "sidecar" : "init container"} ${running.name}`
  );
}

/** Of more pods the first tell enough. */
const readPods = 10;
const atOnce = 4;
const namedPods = 3;
const tailLines = 200;

/**
 * Says which pods of a color failed while they started, although all are ready by now: after that nobody would
 * know. Pods that migrate when they start deadlock with each other, restart, and pass. Never throws.
 */
export async function sayStartProblems(
  cluster: Cluster,
  { app, color, template }: { app: string; color: Color; template: string },
  say: Say,
): Promise<void> {
  try {
    const pods = (await podsOfColor(cluster, { app, color })).filter((pod) => runsTemplate(pod, template));
    const restarted = pods.flatMap(restartOf);
    const deadlocks = (await mapBounded(pods.slice(0, readPods), atOnce, (pod) => findDeadlock(cluster, pod)))
      .flat()
      .slice(0, namedPods);
    if (restarted.length > 0)
      say(
        `rollout of ${color}: ${restarted.length} of ${pods.length} pods restarted while they started: ${restarted.slice(0, namedPods).join(", ")}`,
      );
    if (deadlocks.length > 0)
      say(
        `rollout of ${color}: the log of ${deadlocks.join(", ")}; pods that migrate when they start do so at the same time: docs/guides/migrations-by-command.md#an-app-that-migrates-when-it-starts`,
      );
  } catch (error) {
    say(`rollout of ${color}: whether pods restarted while they started is not known: ${messageOf(error)}`);
  }
}

/** @returns at most one text for people */
export function restartOf(pod: V1Pod): string[] {
  const found = pod.status?.containerStatuses?.find(({ restartCount }) => restartCount > 0);
  if (found === undefined) return [];
  const exit = found.lastState?.terminated?.exitCode;
  return [
    `${whereIs(pod).name} (${times(found.restartCount)}${exit === undefined ? "" : `, exit code ${exit}`})`,
  ];
}

function times(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}

async function findDeadlock(cluster: Cluster, pod: V1Pod): Promise<string[]> {
  const statuses = pod.status?.containerStatuses ?? [];
  const logs = await Promise.all(statuses.map((status) => logsOf(cluster, pod, status)));
  const line = deadlockIn(logs.flat());
  return line === undefined ? [] : [`${whereIs(pod).name} says "${shorten(line)}"`];
}

/** As PostgreSQL, MySQL and SQL Server say it. */
export function deadlockIn(logs: string[]): string | undefined {
  return logs
    .flatMap((log) => log.split("\n"))
    .find((line) => /deadlock detected|deadlock found|deadlocked on/i.test(line));
}

/** Of a container that restarted, what it said before as well. */
async function logsOf(
  cluster: Cluster,
  pod: V1Pod,
  { name: container, restartCount }: V1ContainerStatus,
): Promise<string[]> {
  const ask = (previous: boolean) =>
    cluster.core.readNamespacedPodLog({ ...whereIs(pod), container, tailLines, previous }).catch(() => "");
  return Promise.all([ask(false), ...(restartCount > 0 ? [ask(true)] : [])]);
}
