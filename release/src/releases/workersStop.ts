import { otherColor, type Color } from "../app/color.js";
import type { Followers } from "../config/followers.js";
import { connect, type ClusterRef } from "../kubernetes/cluster.js";
import { readRelease } from "../state/record.js";
import { readLiveColor, sayingWhatIsLive } from "../traffic/live.js";
import { isSwitchPending } from "../traffic/switchPending.js";
import type { Step } from "../util/step.js";
import { standDown } from "../workers/followers.js";

export type WorkersStopInputs = ClusterRef &
  Followers & {
    app: string;
    activeColor: Color;
  };
export type WorkersStopOutputs = { outcome: string };

/**
 * Before traffic moves, the workers of the color that it leaves stop, and have ended what they had, its CronJobs are
 * suspended, and its pods are told that it is not active. Workers that do not stop keep the switch from being made, and all run again. A
 * rollback does not wait for them: traffic comes first (workersStart.ts).
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
      const stopped = await standDown(cluster, { app, color: leaving }, inputs, say);
      return { outcome: stopped.join("; ") || `${leaving} has none that have to stop before` };
    });
  },
};
