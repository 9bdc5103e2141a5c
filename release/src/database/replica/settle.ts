import { Refusal } from "../../refusal.js";
import type { DatabasePair } from "../colorDatabase.js";
import { refuseWrites } from "./fence.js";
import { defaultBudgetMs, type ReplicaOptions } from "./options.js";
import { findParting } from "./parting.js";
import { rebuildAdvice, runRebuild } from "./rebuild.js";
import { openBeside, Server, UnreachableError } from "./server.js";
import { findFault, requirePrimary, type Fault } from "./standby.js";
import { takeTurn } from "./turn.js";

/** Whether there is a way back that loses nothing. */
export type Settled =
  | { followed: true }
  | {
      followed: false;
      /** Why not, and what would be lost. */
      reason: string;
      /** What to do to get it. */
      next: string;
    };

/**
 * After traffic has moved, or after a release was killed anywhere: makes sure that the idle color's server
 * refuses writes, and that it follows the live one, by the rebuild command if it has to. May be run at any time, again and again.
 * @throws Refusal when the idle color's server is unknown or cannot be made to refuse writes, or the rebuild fails
 */
export async function settle(pair: DatabasePair, options: ReplicaOptions = {}): Promise<Settled> {
  const { say = () => undefined, budgetMs = defaultBudgetMs, rebuildCommand } = options;
  const live = await Server.open(pair.live);
  try {
    await requirePrimary(live);
    await takeTurn(live);
    const before = await fenceAndLook(live, pair, budgetMs).catch((error: unknown) => {
      // A rebuild that was killed has left it stopped; nobody writes to it then.
      if (error instanceof UnreachableError && rebuildCommand !== undefined) return { kind: "detached" as const, reason: error.message };
      throw error;
    });
    if (before === undefined) return { followed: true };
    // A rebuild makes nobody faster.
    if (rebuildCommand === undefined || before.kind === "behind") {
      return { followed: false, reason: before.reason, next: before.kind === "behind" ? "wait until it follows" : rebuildAdvice(rebuildCommand, pair) };
    }
    say(`${pair.idle.color} is made a standby of ${pair.live.color}: ${before.reason}`);
    await runRebuild(rebuildCommand, pair, say);
    const after = await fenceAndLook(live, pair, budgetMs);
    if (after === undefined) return { followed: true };
    throw new Refusal({
      what: `The server of ${pair.idle.color} is no standby of ${pair.live.color}, although the rebuild command ended with 0`,
      rule: after.reason,
      next: `look at the log of the server of ${pair.idle.color}, correct the rebuild command, then pulumi up`,
    });
  } finally {
    await live.close();
  }
}

/** What keeps the idle color's server, which refuses writes from now on, from being a standby. */
async function fenceAndLook(live: Server, pair: DatabasePair, budgetMs: number): Promise<Fault | undefined> {
  const servers = { live, idle: await openBeside(live, pair.idle) };
  try {
    const fault = await findFault(servers, budgetMs);
    if (fault?.kind === "stranger") {
      throw new Refusal({
        what: `The server of ${pair.idle.color} was not touched: it has nothing to do with that of ${pair.live.color}`,
        rule: fault.reason,
        next: `correct the administrator's URL of ${pair.idle.color}, or ${rebuildAdvice(undefined, pair)}`,
      });
    }
    if (fault?.kind !== "apart") return fault;
    await refuseWrites(pair.idle);
    return { kind: "apart", reason: (await findParting(servers)).loss };
  } finally {
    await servers.idle.close();
  }
}
