import type { Color } from "../app/color.js";
import type { Followers } from "../config/followers.js";
import { awaitWorkers } from "../gates/workersReady.js";
import { connect, type ClusterRef } from "../kubernetes/cluster.js";
import { scaleWorker } from "../kubernetes/deployment.js";
import { readLiveColor, sayingWhatIsLive } from "../traffic/live.js";
import { isSwitchPending } from "../traffic/switchPending.js";
import type { Step } from "../util/step.js";
import { lowered } from "../workers/activeWorkers.js";
import { needsReconcile, reconcileFollowers } from "../workers/followers.js";

export type WorkersStartInputs = ClusterRef &
  Followers & {
    app: string;
    activeColor: Color;
    /** Hash of the active color's pod template. */
    template: string;
    budgetSeconds: number;
  };
export type WorkersStartOutputs = { outcome: string };

/**
 * Once traffic has moved: the workers of the active color start, after those of the other one have gone, its CronJobs
 * are resumed, and its pods are told that it is active. In every update also what one that was killed, or a rollback, has left undone.
 */
export const workersStart: Step<WorkersStartInputs, WorkersStartOutputs> = {
  check: () => Promise.resolve([]),

  async isNeeded(last, inputs) {
    if (last.template !== inputs.template || JSON.stringify(last.workers) !== JSON.stringify(inputs.workers))
      return true;
    if (await isSwitchPending({ ...inputs, color: inputs.activeColor })) return true;
    return needsReconcile(connect(inputs), { app: inputs.app, color: inputs.activeColor }, inputs);
  },

  async run(inputs, say, last = {}) {
    const cluster = connect(inputs);
    const { app, activeColor, workers, cronJobs, colorFile } = inputs;
    const own = workers[activeColor];
    return sayingWhatIsLive(cluster, app, async () => {
      const isOver = async () => (await readLiveColor(cluster, app)) !== activeColor;
      const live = await reconcileFollowers(cluster, app, inputs, say);
      if (live !== activeColor) return { outcome: `traffic is on ${live ?? "no color"}, whose workers run` };
      for (const { name, replicas } of lowered(last.workers?.[activeColor], own))
        await scaleWorker(cluster, { app, color: activeColor, name }, replicas);
      await awaitWorkers(cluster, { ...inputs, color: activeColor, workers: own, isOver }, say);
      const rota = cronJobs?.[activeColor] ?? [];
      const started = [
        ...(own.length > 0 ? [`${own.map(({ name }) => name).join(", ")} of ${activeColor} run`] : []),
        ...(rota.length > 0 ? [`CronJobs ${rota.join(", ")} of ${activeColor} start Jobs`] : []),
        ...(colorFile ? [`pods of ${activeColor} are told that it is active`] : []),
      ];
      return { outcome: started.join("; ") || `none of ${activeColor} run` };
    });
  },
};
