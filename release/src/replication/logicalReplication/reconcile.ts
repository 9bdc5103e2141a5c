import { UserError } from "../../util/userError.js";
import { catchUp } from "./catchUp.js";
import { allowWrites, refusesWrites, refuseWrites } from "./readOnly.js";
import { copySequences, publish } from "./tables.js";
import { type PairOptions, type Sides, type Direction, withPair } from "./side.js";
import { activate, drop, subscriptionState, wouldReturn, subscribe } from "./subscription.js";
import type { DatabasePair } from "../../databases/colorDatabases.js";

export interface LossOptions extends PairOptions {
  /** Continues without what cannot be replicated any more. Somebody has to have said so. */
  allowDataLoss?: boolean;
}

/**
 * Makes everything follow the color that is live, from whatever was left behind: its database alone takes
 * writes, and the replication goes from it to the other one. Can be killed and called again at any point.
 */
export async function reconcileSides(
  { live, idle }: Sides,
  { allowDataLoss = false, ...options }: LossOptions,
): Promise<void> {
  const forward = { from: live, to: idle };
  const back = { from: idle, to: live };
  await refuseWrites(idle);
  if ((await subscriptionState(back)) === "active") {
    // The last writes of the color that was live until now.
    const lost = await catchUp(back, options).then(
      () => false,
      (error: unknown) => {
        if (!allowDataLoss || !(error instanceof UserError)) throw error;
        options.say(`continuing without what is missing, as was accepted: ${error.message}`);
        return true;
      },
    );
    const switchedAlone = await refusesWrites(live);
    // Before the subscription goes, and with it the memory of what it has applied.
    if (lost) await drop(forward);
    // The traffic was switched without a handover: what it would have done, late.
    else if (switchedAlone) await prepareWay(forward);
    else if (await wouldReturn(forward, back)) {
      options.say(
        `${idle.color} took writes after the switch: they are on ${live.color} now, and there is no rollback until ${idle.color} is copied again`,
      );
      await drop(forward);
    }
    if (switchedAlone) await copySequences(back);
  }
  await allowWrites(live);
  await drop(back);
  if ((await subscriptionState(forward)) === "none") await drop(forward);
  else await activate(forward);
}

/**
 * From here on keeps what is written on one side, to bring it to the other one once that has stopped writing.
 */
export async function prepareWay(direction: Direction): Promise<void> {
  await drop(direction);
  await publish(direction.from);
  await subscribe(direction, "prepared");
}

/**
 * To be called after the active Service was switched, and at any other time, also after a handover
 * that was killed: the database of the live color alone takes writes, the other one follows it, and
 * no slot is left that nobody reads.
 * @throws UserError when the live color's database lacks writes of the other one; both then stay as they are
 */
export async function reconcile(pair: DatabasePair, options: LossOptions): Promise<void> {
  await withPair(pair, "The databases were not reconciled", options.budgetMs, (sides) =>
    reconcileSides(sides, options),
  );
}
