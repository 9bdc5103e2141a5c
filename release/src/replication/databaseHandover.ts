import { connect } from "../kubernetes/cluster.js";
import { ifReachable } from "../postgres/reachable.js";
import { readLiveColor, sayingWhatIsLive } from "../traffic/live.js";
import { isSwitchPending } from "../traffic/move.js";
import { untilAnswered } from "../util/poll.js";
import type { Step } from "../util/step.js";
import { messageOf, UserError } from "../util/userError.js";
import { bind, hasBothColors, needsReconcile, type SeparateInputs } from "./separateInputs.js";
import type { Handover } from "./strategy.js";

type DatabaseHandoverInputs = SeparateInputs;
type DatabaseHandoverOutputs = Record<string, never>;

/**
 * The handovers that wait for traffic to move. In this process alone: when it ends, PostgreSQL lets the
 * writers continue.
 */
const waiting = new Map<string, Handover>();

/** Well below the silence after which PostgreSQL lets the writers go. */
const confirmEveryMs = 5000;

/** Right before traffic moves: the color that takes over has all writes, and writers wait. */
export const databaseHandover: Step<DatabaseHandoverInputs, DatabaseHandoverOutputs> = {
  async check(inputs, _last, say) {
    try {
      const cluster = connect(inputs);
      const live = await readLiveColor(cluster, inputs.app);
      // A color that has no database yet is told about by the steps before.
      if (live === undefined || live === inputs.activeColor || inputs.templates[live] === null) return [];
      const { databases, pair, options } = await bind(cluster, inputs, live, say);
      const why = await ifReachable(() => databases.whyNoHandover(pair, options), say);
      if (why === undefined) return [];
      const next =
        "make it follow again; or give up what was written since: pulumi config set --path database.allowDataLoss true";
      return [
        {
          property: "activeColor",
          reason: new UserError({
            code: "BG-WRITES-WOULD-BE-LOST",
            what: `The switch from ${live} to ${inputs.activeColor} was refused: it would lose writes`,
            rule: why,
            next,
          }).message,
        },
      ];
    } catch (error) {
      return [{ property: "activeColor", reason: messageOf(error) }];
    }
  },

  isNeeded: (_last, inputs) => isSwitchPending({ ...inputs, color: inputs.activeColor }),

  async run(inputs, say) {
    const cluster = connect(inputs);
    return sayingWhatIsLive(cluster, inputs.app, async () => {
      const live = await readLiveColor(cluster, inputs.app);
      if (live === undefined || live === inputs.activeColor || (await isHandedOver(inputs))) return {};
      const { databases, pair, options } = await bind(cluster, inputs, live, say);
      keep(keyOf(inputs), await databases.handover(pair, options));
      return {};
    });
  },
};

/** An earlier try of this process, of which it is not known whether traffic moved: its writers still wait. */
async function isHandedOver(inputs: SeparateInputs): Promise<boolean> {
  const key = keyOf(inputs);
  try {
    await waiting.get(key)?.confirm();
    return waiting.has(key);
  } catch {
    waiting.delete(key);
    return false;
  }
}

/**
 * The handover that this update has begun; undefined when there was none, or it was another update, which was
 * killed.
 */
export function takeHandover(inputs: SeparateInputs): Handover | undefined {
  const key = keyOf(inputs);
  const handover = waiting.get(key);
  waiting.delete(key);
  return handover;
}

function keep(key: string, handover: Handover): void {
  waiting.set(key, handover);
  const timer = setInterval(() => {
    if (waiting.get(key) !== handover) clearInterval(timer);
    // That it is over is found by whoever completes it.
    else
      handover.confirm().catch(() => {
        clearInterval(timer);
      });
  }, confirmEveryMs);
  timer.unref();
}

function keyOf({ context, namespace, app, activeColor }: SeparateInputs): string {
  return [context, namespace, app, activeColor].join("/");
}

type DatabaseReconcileInputs = SeparateInputs;
type DatabaseReconcileOutputs = Record<string, never>;

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
