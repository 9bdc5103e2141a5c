import { Refusal } from "../../refusal.js";
import { catchUp } from "./catchUp.js";
import { allowWrites, refusesWrites, refuseWrites } from "./readOnly.js";
import { copySequences } from "./sequences.js";
import type { PairOptions, Sides } from "./side.js";
import { activate, drop, subscriptionState, wouldReturn } from "./subscription.js";
import { prepareWay } from "./way.js";

export interface LossOptions extends PairOptions {
  /** Goes on without what cannot be replicated any more. Somebody has to have said so. */
  acceptLoss?: boolean;
}

/**
 * Makes everything follow the color that is live, from whatever was left behind: its database alone
 * takes writes, and the replication goes from it to the other one. Can be killed and called again at any point.
 */
export async function converge({ live, idle }: Sides, { acceptLoss = false, ...options }: LossOptions): Promise<void> {
  const forward = { from: live, to: idle };
  const back = { from: idle, to: live };
  await refuseWrites(idle);
  if ((await subscriptionState(back)) === "active") {
    // The last writes of the color that was live until now.
    const lost = await catchUp(back, options).then(() => false, (error: unknown) => {
      if (!acceptLoss || !(error instanceof Refusal)) throw error;
      options.say(`going on without what is missing, as was accepted: ${error.message}`);
      return true;
    });
    const switchedAlone = await refusesWrites(live);
    // Before the subscription goes, and with it the memory of what it has applied.
    if (lost) await drop(forward);
    // The traffic was switched without a handover: what it would have done, late.
    else if (switchedAlone) await prepareWay(forward);
    else if (await wouldReturn(forward, back)) {
      options.say(`${idle.color} took writes after the switch: they are on ${live.color} now, and there is no way back until ${idle.color} is copied anew`);
      await drop(forward);
    }
    if (switchedAlone) await copySequences(back);
  }
  await allowWrites(live);
  await drop(back);
  if ((await subscriptionState(forward)) === "none") await drop(forward);
  else await activate(forward);
}
