import type { Color } from "../app/color.js";
import { connect, type ClusterRef } from "../kubernetes/cluster.js";
import { readWorker, scaleWorker } from "../kubernetes/deployment.js";
import { refuseHarm } from "../state/harm.js";
import { sayingWhatIsLive } from "../traffic/live.js";
import type { Step } from "../util/step.js";
import { lowered } from "../workers/activeWorkers.js";
import { awaitWorkers } from "./workersReady.js";

export type WorkerRolloutInputs = ClusterRef & {
  app: string;
  color: Color;
  /** Hash of the pod template of the color. */
  template: string;
  /** A color that is not deployed has none of their pods: replicas of 0. */
  workers: { name: string; replicas: number }[];
  budgetSeconds: number;
};
export type WorkerRolloutOutputs = { readyWorkers: number };

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
