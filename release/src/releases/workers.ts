import { otherColor, type Color } from "../app/color.js";
import type { Followers } from "../config/background.js";
import { awaitWorkers } from "../gates/workerRollout.js";
import { connect, type ClusterRef } from "../kubernetes/cluster.js";
import { scaleWorker } from "../kubernetes/deployment.js";
import { readRelease } from "../state/record.js";
import { readLiveColor, sayingWhatIsLive } from "../traffic/live.js";
import { isSwitchPending } from "../traffic/move.js";
import type { Step } from "../util/step.js";
import { lowered } from "../workers/activeWorkers.js";
import { stopFollowers, needsReconcile, reconcileFollowers } from "../workers/followers.js";

type WorkersStopInputs = ClusterRef &
  Followers & {
    app: string;
    activeColor: Color;
  };
type WorkersStopOutputs = { outcome: string };

/**
 * Before traffic moves, the workers of the color that it leaves stop, and have ended what they had, its CronJobs are
 * suspended, and its pods are told that it is not active. Workers that do not stop keep the switch from being made,
 * and all run again. A rollback does not wait for them: traffic comes first, and workersStart does it afterwards.
 */
export const workersStop: Step<WorkersStopInputs, WorkersStopOutputs> = {
  check: () => Promise.resolve([]),

  isNeeded: (_last, inputs) => isSwitchPending({ ...inputs, color: inputs.activeColor }),

  async run(inputs, say) {
    const cluster = connect(inputs);
    const { app, activeColor } = inputs;
    const leaving = otherColor(activeColor);
    if ((await readLiveColor(cluster, app)) !== leaving) return { outcome: "none run beside them" };
    // Of this very switch: its gate has just let it through.
    const release = await readRelease(cluster, app);
    if (release?.kind === "rollback" && release.to.color === activeColor)
      return { outcome: `traffic returns first, then those of ${leaving} stop` };
    return sayingWhatIsLive(cluster, app, async () => {
      const stopped = await stopFollowers(cluster, { app, color: leaving }, inputs, say);
      return { outcome: stopped.join("; ") || `${leaving} has none that have to stop before` };
    });
  },
};

type WorkersStartInputs = ClusterRef &
  Followers & {
    app: string;
    activeColor: Color;
    /** Hash of the active color's pod template. */
    template: string;
    budgetSeconds: number;
  };
type WorkersStartOutputs = { outcome: string };

/**
 * Once traffic has moved: the workers of the active color start, after those of the other one have gone, its CronJobs
 * are resumed, and its pods are told that it is active. In every update also what one that was killed, or a rollback,
 * has left undone.
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
