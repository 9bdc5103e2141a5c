import { connect } from "../kubernetes/cluster.js";
import { readLiveColor, sayingWhatIsLive } from "../traffic/live.js";
import { untilAnswered } from "../util/poll.js";
import { messageOf } from "../util/userError.js";
import type { Step } from "../util/step.js";
import { takeHandover } from "./databaseHandover.js";
import { bind, hasBothColors, needsReconcile, type SeparateInputs } from "./separateInputs.js";

export type DatabaseReconcileInputs = SeparateInputs;
export type DatabaseReconcileOutputs = Record<string, never>;

/** Right after traffic has moved: the old color's database refuses writes, and follows the new one. */
export const databaseReconcile: Step<DatabaseReconcileInputs, DatabaseReconcileOutputs> = {
  check: () => Promise.resolve([]),

  async isNeeded(last, inputs) {
    if (!hasBothColors(inputs)) return false;
    return last.activeColor !== inputs.activeColor || needsReconcile(inputs);
  },

  async run(inputs, say) {
    const cluster = connect(inputs);
    return sayingWhatIsLive(cluster, inputs.app, async () => {
      // Before the handover is taken: one that nobody ends holds the writers.
      const live = await untilAnswered(() => readLiveColor(cluster, inputs.app));
      const handover = takeHandover(inputs);
      if (live !== inputs.activeColor) {
        await handover?.cancel();
        throw new Error(
          `traffic is on ${live ?? "no color"}, and the databases were to follow ${inputs.activeColor}`,
        );
      }
      const completed = handover?.complete();
      if (!hasBothColors(inputs)) {
        await completed;
        return {};
      }
      // While the writers of the old color still wait: whatever the handover could not do is done here, or
      // fails here.
      await completed?.catch((error: unknown) => {
        say(
          `The handover was not completed, and the databases are reconciled without it: ${messageOf(error)}`,
        );
      });
      const { databases, pair, options } = await bind(cluster, inputs, live, say);
      await databases.reconcile(pair, options);
      return {};
    });
  },
};
