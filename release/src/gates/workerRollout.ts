import { namespaceOf, type Color } from "../app/color.js";
import { names, workerLabel } from "../app/names.js";
import { connect, type ClusterRef, type Cluster } from "../kubernetes/cluster.js";
import { readWorker, scaleWorker, replicaFailureOf } from "../kubernetes/deployment.js";
import { podsOfWorkers, runsTemplate } from "../kubernetes/pods.js";
import { refuseHarm } from "../state/harm.js";
import { sayingWhatIsLive } from "../traffic/live.js";
import { DeadlineError, poll } from "../util/poll.js";
import type { Step, Say } from "../util/step.js";
import { UserError } from "../util/userError.js";
import { lowered } from "../workers/activeWorkers.js";
import { PodCheck } from "./podCheck.js";
import { whatIsPending } from "./rollout.js";

type WorkerRolloutInputs = ClusterRef & {
  app: string;
  color: Color;
  /** Hash of the pod template of the color. */
  template: string;
  /** A color that is not deployed has none of their pods: replicas of 0. */
  workers: { name: string; replicas: number }[];
  budgetSeconds: number;
};
type WorkerRolloutOutputs = { readyWorkers: number };

/** Workers that run on both colors get their pods, and are a part of what makes their color ready. */
export const workerRollout: Step<WorkerRolloutInputs, WorkerRolloutOutputs> = {
  check: () => Promise.resolve([]),

  async isNeeded(last, inputs) {
    if (last.template !== inputs.template || JSON.stringify(last.workers) !== JSON.stringify(inputs.workers))
      return true;
    return (await otherwise(inputs)).length > 0;
  },

  async run(inputs, say, last = {}) {
    const cluster = connect(inputs);
    const { app, color, workers } = inputs;
    return sayingWhatIsLive(cluster, app, async () => {
      // What was taken away for the harm that it did must not come back in the same update.
      refuseHarm(cluster, app);
      for (const { name, replicas } of [...(await otherwise(inputs)), ...lowered(last.workers, workers)])
        await scaleWorker(cluster, { app, color, name }, replicas);
      const deployed = workers.filter(({ replicas }) => replicas > 0);
      await awaitWorkers(cluster, { ...inputs, workers: deployed }, say);
      return { readyWorkers: deployed.length };
    });
  },
};

/** Those that have too few pods, or some and should have none. */
async function otherwise(inputs: WorkerRolloutInputs): Promise<WorkerRolloutInputs["workers"]> {
  const cluster = connect(inputs);
  const { app, color, workers } = inputs;
  const running = await Promise.all(workers.map(({ name }) => readWorker(cluster, app, color, name)));
  return workers.filter(({ replicas }, index) => {
    const now = running[index]?.spec?.replicas ?? 0;
    return replicas === 0 ? now > 0 : now < replicas;
  });
}

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
      const problem = await check.atTheEnd();
      if (problem !== undefined) throw problem;
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
