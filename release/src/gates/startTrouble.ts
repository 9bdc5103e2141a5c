import type { V1ContainerStatus, V1Pod } from "../kubernetes/client.js";
import { shorten } from "../analysis/logLines.js";
import type { Color } from "../app/color.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { podsOfColor, runsTemplate, whereIs } from "../kubernetes/pods.js";
import { mapBounded } from "../util/mapBounded.js";
import { messageOf } from "../util/userError.js";
import type { Say } from "../util/step.js";

/** Of more pods the first tell enough. */
const readPods = 10;
const atOnce = 4;
const namedPods = 3;
const tailLines = 200;

/**
 * Says which pods of a color failed while they started, although all are ready by now: after that nobody would
 * know. Pods that migrate when they start deadlock with each other, restart, and pass. Never throws.
 */
export async function sayStartTrouble(
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
