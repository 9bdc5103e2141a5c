import type { Color } from "../app/color.js";
import { namespaceOf } from "../app/namespaces.js";
import { names, workerLabel } from "../app/names.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { readWorker, replicaFailureOf } from "../kubernetes/deployment.js";
import { podsOfWorkers, runsTemplate } from "../kubernetes/pods.js";
import { refuseHarm } from "../state/harm.js";
import { DeadlineError, poll } from "../util/poll.js";
import type { Say } from "../util/step.js";
import { UserError } from "../util/userError.js";
import { PodCheck } from "./podCheck.js";
import { whatIsPending } from "./rollout.js";

interface WorkersToAwait {
  app: string;
  color: Color;
  /** Hash of the pod template of their color, which is theirs as well. */
  template: string;
  workers: readonly { name: string; replicas: number }[];
  budgetSeconds: number;
  /** Whether nobody waits for them any more. */
  isOver?: () => Promise<boolean>;
}

const pollIntervalMs = 1000;

/**
 * Waits until all of them run what is wanted.
 * @throws UserError when waiting is in vain, or the time is over
 */
export async function awaitWorkers(cluster: Cluster, of: WorkersToAwait, say: Say): Promise<void> {
  const { app, color, template, workers, budgetSeconds, isOver } = of;
  if (workers.length === 0) return;
  const waiting = workers.map(({ name, replicas }) => ({
    name,
    replicas,
    pending: "its Deployment was not found",
    check: new PodCheck(cluster, { app, color, worker: name }),
  }));
  const namespace = namespaceOf(cluster, color);
  let told = "";
  const check = async () => {
    refuseHarm(cluster, app);
    if ((await isOver?.()) === true) return true;
    const pods = await podsOfWorkers(
      cluster,
      { app, color },
      waiting.map(({ name }) => name),
    );
    const pending = [];
    for (const each of waiting) {
      const deployment = await readWorker(cluster, app, color, each.name);
      const missing =
        deployment === undefined ? each.pending : whatIsPending(deployment, { ...each, template });
      if (missing === undefined) continue;
      const own = pods.filter(({ metadata }) => metadata?.labels?.[workerLabel] === each.name);
      const why = await each.check.inspect(own.filter((pod) => runsTemplate(pod, template)));
      const failure = replicaFailureOf(deployment) ?? why?.text;
      each.pending = failure === undefined ? missing : `${missing}; ${failure}`;
      pending.push(`worker ${each.name} of ${color} is not ready: ${each.pending}`);
      if (why?.isLong === true && why.text !== told) {
        told = why.text;
        say(pending.at(-1) ?? told);
      }
    }
    return pending.length === 0 ? true : undefined;
  };
  try {
    await poll(check, { timeoutMs: budgetSeconds * 1000, intervalMs: pollIntervalMs });
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    for (const { check } of waiting) {
      const trouble = await check.atTheEnd();
      if (trouble !== undefined) throw trouble;
    }
    const late = waiting.map(({ name, pending }) => `${name}: ${pending}`);
    throw new UserError({
      code: "BG-WORKERS-NOT-READY",
      what: `Workers of ${color} were not ready within ${budgetSeconds} s`,
      rule: late.join("\n        "),
      next: `kubectl -n ${namespace} get deployments ${waiting.map(({ name }) => names.worker(app, color, name)).join(" ")}; with more time: pulumi config set progressDeadlineSeconds N`,
    });
  }
}
