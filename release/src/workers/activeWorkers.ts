import { namespaceOf, type Color } from "../app/color.js";
import { workerLabel } from "../app/names.js";
import type { ActiveWorker } from "../config/background.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { readWorker, scaleWorker } from "../kubernetes/deployment.js";
import { isOver, podsOfWorkers } from "../kubernetes/pods.js";
import { DeadlineError, poll } from "../util/poll.js";
import type { Say } from "../util/step.js";
import { UserError } from "../util/userError.js";

/** The workers of one color. */
interface Crew {
  app: string;
  color: Color;
  workers: readonly ActiveWorker[];
}

/** Orders them to stop, and waits for nothing. */
export async function stopWorkers(cluster: Cluster, { app, color, workers }: Crew): Promise<void> {
  for (const { name } of workers)
    if (((await readWorker(cluster, app, color, name))?.spec?.replicas ?? 0) > 0)
      await scaleWorker(cluster, { app, color, name }, 0);
}

/** Takes no pods from any that has more than config gives it. */
export async function startWorkers(cluster: Cluster, { app, color, workers }: Crew): Promise<void> {
  for (const { name, replicas } of workers) {
    const deployment = await readWorker(cluster, app, color, name);
    if (deployment !== undefined && (deployment.spec?.replicas ?? 0) < replicas)
      await scaleWorker(cluster, { app, color, name }, replicas);
  }
}

/** A pod that ignores its order to stop is killed after its grace period; a node may take so long to tell. */
const killedWithinMs = 60_000;
/** What lasts longer than that is said. */
const patienceMs = 5000;
const pollIntervalMs = 1000;

/**
 * Waits until no pod of them is left: until then it may take a job.
 * @throws UserError naming the pods that do not go
 */
export async function awaitStopped(cluster: Cluster, { app, color, workers }: Crew, say: Say): Promise<void> {
  const waited = workers.map(({ name }) => name);
  if (waited.length === 0) return;
  // A Deployment that has not seen its order yet may be about to make some.
  const mayStart = async () => {
    const all = await Promise.all(waited.map((name) => readWorker(cluster, app, color, name)));
    return all.some(
      (each) =>
        each !== undefined &&
        ((each.status?.observedGeneration ?? 0) < (each.metadata?.generation ?? 0) ||
          (each.status?.replicas ?? 0) > 0),
    );
  };
  const find = async () =>
    (await podsOfWorkers(cluster, { app, color }, waited)).filter((pod) => !isOver(pod));
  let left = await find();
  const graceMs = Math.max(0, ...left.map(({ spec }) => (spec?.terminationGracePeriodSeconds ?? 30) * 1000));
  const began = performance.now();
  let isSaid = false;
  try {
    await poll(
      async () => {
        const isStarting = await mayStart();
        left = await find();
        if (left.length === 0) return isStarting ? undefined : true;
        if (!isSaid && performance.now() - began > patienceMs) {
          isSaid = true;
          const ending = [...new Set(left.map(({ metadata }) => metadata?.labels?.[workerLabel]))];
          say(
            `waiting for workers of ${color} to end what they have: ${ending.join(", ")}, for ${Math.round((graceMs + killedWithinMs) / 1000)} s at most`,
          );
        }
        return undefined;
      },
      { timeoutMs: graceMs + killedWithinMs, intervalMs: pollIntervalMs },
    );
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    const pods = left.map(({ metadata }) => metadata?.name ?? "?");
    const namespace = namespaceOf(cluster, color);
    throw new UserError(
      {
        code: "BG-WORKERS-NOT-STOPPED",
        what: `Workers of ${color} do not stop: pods ${pods.join(", ")} of namespace ${namespace} are still there after ${Math.round((graceMs + killedWithinMs) / 1000)} s`,
        rule: "two versions of a worker with runOn active never run at a time, unless it has overlap",
        next: `kubectl -n ${namespace} get pods -o wide ${pods.join(" ")}; where their node is gone: kubectl -n ${namespace} delete pod --force ${pods.join(" ")}; then pulumi up`,
      },
      { cause: error },
    );
  }
}

/** Those that config gives fewer pods than before: what a person has given one beyond it stays until then. */
export function lowered<Given extends { name: string; replicas: number }>(
  before: readonly { name: string; replicas: number }[] | undefined,
  now: readonly Given[],
): Given[] {
  const had = new Map(before?.map(({ name, replicas }) => [name, replicas]));
  return now.filter(({ name, replicas }) => replicas < (had.get(name) ?? 0));
}

/** Those that have to be gone before others start. */
export function aloneOf(workers: readonly ActiveWorker[]): ActiveWorker[] {
  return workers.filter(({ overlap }) => !overlap);
}
