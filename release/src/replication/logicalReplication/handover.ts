import { messageOf, UserError } from "../../util/userError.js";
import { holdWriters, type HeldWriters } from "../holdWriters.js";
import { catchUp, reconcileSides, prepareWay, type LossOptions } from "./reconcile.js";
import { refuseDifferences, copySequences } from "./tables.js";
import { allowWrites, refusesWrites, explained, openPair, type Direction, type Sides } from "./side.js";
import type { DatabasePair } from "../../databases/colorDatabases.js";
import { beginHere, drop, subscriptionState } from "./subscription.js";

export interface HandoverOptions extends LossOptions {
  /**
   * How long the writers may wait until the idle database has their last writes, in milliseconds. @default
   * 5000
   */
  waitMs?: number;
}

/**
 * The writers of the live database wait, and the idle one has everything and takes writes. Now is
 * the time to switch the traffic, at once. Ends with `complete` or `cancel`; when this process is
 * killed, or takes more than 30 s, PostgreSQL lets the writers continue, and `reconcile` does the rest.
 */
export interface Handover {
  /** @throws UserError when PostgreSQL has let the writers go: the traffic must stay */
  confirm(): Promise<void>;
  /**
   * After the traffic was switched: the writers that still wait fail, and the replication turns round.
   * @throws UserError when the new live database lacks something; `reconcile` continues from there
   */
  complete(): Promise<void>;
  /** When the traffic was not switched: the writers continue, and everything is as before. */
  cancel(): Promise<void>;
}

/**
 * Hands the writing over to the idle color's database, which is the live one afterwards. A rollback is the
 * same the other way.
 * @throws UserError when the idle database does not have everything, unless a loss was accepted, or
 *   when writers do not let themselves be held. The live one continues taking writes then
 */
export async function handover(pair: DatabasePair, options: HandoverOptions): Promise<Handover> {
  const open = await openPair(pair, "The handover was not started", options.budgetMs);
  const { sides } = open;
  const guarded = async (what: string, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      throw explained(error, what, pair);
    } finally {
      await open.close();
    }
  };
  try {
    const held = await begin(sides, options);
    return {
      confirm: held.confirm,
      complete: () =>
        guarded("The handover was not completed", async () => {
          try {
            await reconcileSides({ live: sides.idle, idle: sides.live }, options);
          } finally {
            await held.release();
          }
        }),
      cancel: () =>
        guarded("The handover was not undone", async () => {
          await held.release();
          await reconcileSides(sides, options);
        }),
    };
  } catch (error) {
    await open.close();
    throw explained(error, "The handover was not started", pair);
  }
}

async function begin(sides: Sides, options: HandoverOptions): Promise<HeldWriters> {
  const { say, budgetMs, waitMs = 5000 } = options;
  const { live, idle } = sides;
  const forward = { from: live, to: idle };
  const back = { from: idle, to: live };
  // One that was killed has left it open.
  if (!(await refusesWrites(idle))) await reconcileSides(sides, options);
  const complete = await isComplete(sides, forward, options);
  let held: HeldWriters | undefined;
  try {
    // Whatever takes time is done while the writers still write.
    if (complete) await prepareWay(back);
    else await drop(back);
    held = await holdWriters(live.adminUrl, { say, budgetMs });
    if (complete) {
      await catchUp(forward, { say, budgetMs: waitMs, intervalMs: 5 });
      await beginHere(back);
    }
    await copySequences(forward);
    await allowWrites(idle);
    await held.confirm();
    return held;
  } catch (error) {
    await held?.release();
    await reconcileSides(sides, options).catch((again: unknown) => {
      say(`what was prepared is left behind: ${messageOf(again)}`);
    });
    throw error;
  }
}

/** False when a loss was accepted, and there is one. */
async function isComplete(
  sides: Sides,
  forward: Direction,
  { allowDataLoss = false, ...options }: HandoverOptions,
): Promise<boolean> {
  try {
    if ((await subscriptionState(forward)) !== "active") {
      throw new UserError({
        code: "BG-WRITES-WOULD-BE-LOST",
        what: `The database of ${forward.to.color} does not follow the one of ${forward.from.color}`,
        rule: `everything that ${forward.from.color} has been given since they parted would be lost`,
        next: `copy it again: empty the database of ${forward.to.color}, then pulumi up. To lose it: pulumi config set --path database.allowDataLoss true`,
      });
    }
    await refuseDifferences(sides);
    await catchUp(forward, options);
    return true;
  } catch (error) {
    if (!allowDataLoss || !(error instanceof UserError)) throw error;
    options.say(`continuing without what is missing, as was accepted: ${error.message}`);
    return false;
  }
}
