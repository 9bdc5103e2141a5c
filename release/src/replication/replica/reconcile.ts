import { takeLock } from "../../postgres/advisoryLock.js";
import { UserError } from "../../util/userError.js";
import type { DatabasePair } from "../../databases/colorDatabases.js";
import { refuseWrites } from "./fence.js";
import { lateTransactions, strangeTransactions, findParting } from "./parting.js";
import { defaultBudgetMs, defaultRebuildBudgetMs, type ReplicaOptions } from "../strategy.js";
import { rebuildAdvice, RebuildError, runRebuild } from "./rebuild.js";
import { openBeside, Server, StoppedError } from "./server.js";
import { findFault, requirePrimary } from "./standby.js";

/** Whether there is a rollback that loses nothing. */
export type Reconciled =
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
 * refuses writes, and that it follows the live one, by the rebuild command if it has to. May be run at any
 * time, again and again.
 * @throws RebuildError when the rebuild fails
 * @throws UserError when the idle color's server is unknown or cannot be made to refuse writes
 */
export async function reconcile(pair: DatabasePair, options: ReplicaOptions = {}): Promise<Reconciled> {
  const {
    say = () => undefined,
    rebuildCommand,
    rebuildBudgetMs: budgetMs = defaultRebuildBudgetMs,
  } = options;
  const live = await Server.open(pair.live);
  try {
    await requirePrimary(live);
    await takeLock(live, 0, `The databases were not touched (server of ${live.color})`);
    const before = await fenceAndCheck(live, pair, options).catch((error: unknown) => {
      // A rebuild that was killed has left it stopped; nobody writes to it then. One that is out of reach may
      // have what nobody else has.
      if (error instanceof StoppedError && rebuildCommand !== undefined)
        return { reason: error.message, next: "", rebuild: true };
      throw error;
    });
    if (before === undefined) return { followed: true };
    if (rebuildCommand === undefined || !before.rebuild)
      return { followed: false, reason: before.reason, next: before.next };
    say(`${pair.idle.color} is made a standby of ${pair.live.color}: ${before.reason}`);
    await runRebuild(rebuildCommand, pair, { budgetMs, say });
    const after = await fenceAndCheck(live, pair, options);
    if (after === undefined) return { followed: true };
    throw new RebuildError({
      code: "BG-REBUILD-FAILED",
      what: `The server of ${pair.idle.color} is no standby of ${pair.live.color}, although the rebuild command ended with 0`,
      rule: after.reason,
      next: `check the log of the server of ${pair.idle.color}, correct the rebuild command, then pulumi up`,
    });
  } finally {
    await live.close();
  }
}

/** What keeps the idle color's server from following. */
interface Obstacle {
  reason: string;
  next: string;
  /** A rebuild removes it, and loses nothing. */
  rebuild: boolean;
}

/** Fences the idle color's server, which may be a former primary: it refuses writes afterwards. */
async function fenceAndCheck(
  live: Server,
  pair: DatabasePair,
  { budgetMs = defaultBudgetMs, rebuildCommand, allowDataLoss = false }: ReplicaOptions,
): Promise<Obstacle | undefined> {
  const advice = rebuildAdvice(rebuildCommand, pair);
  const servers = { live, idle: await openBeside(live, pair.idle) };
  try {
    const fault = await findFault(servers, budgetMs);
    switch (fault?.kind) {
      case undefined:
        return undefined;
      case "behind":
        return { reason: fault.reason, next: "wait until it follows", rebuild: false };
      case "detached":
        return { reason: fault.reason, next: advice, rebuild: true };
      case "stranger":
        throw new UserError({
          code: "BG-DATABASE-SERVER-WRONG",
          what: `The server of ${pair.idle.color} was not touched: it has nothing to do with that of ${pair.live.color}`,
          rule: fault.reason,
          next: `correct the administrator's URL of ${pair.idle.color}, or ${rebuildAdvice(undefined, pair)}`,
        });
      case "apart": {
        await refuseWrites(pair.idle);
        const { kind, loss } = await findParting(servers);
        if (allowDataLoss) return { reason: loss, next: advice, rebuild: true };
        if (kind === "split")
          return {
            reason: loss,
            next: `check whether somebody needs what is on ${pair.idle.color} alone (it can be read), then: ${advice}`,
            rebuild: false,
          };
        if (kind === "promoted") {
          const strange = await strangeTransactions(servers.idle);
          if (strange === 0) return { reason: loss, next: advice, rebuild: true };
          return {
            reason: `${pair.idle.color} began ${strange} transactions after it was promoted: traffic was there before traffic came back to ${pair.live.color}, which does not have that`,
            next: bringOver(pair, advice),
            rebuild: false,
          };
        }
        const late = await lateTransactions(live, servers.idle);
        if (late === 0) return { reason: loss, next: advice, rebuild: true };
        return {
          reason: `${pair.idle.color} began ${late} transactions after it was left: the release was killed before it refused writes, and who had waited there wrote to it; ${pair.live.color} does not have that`,
          next: bringOver(pair, advice),
          rebuild: false,
        };
      }
    }
  } finally {
    await servers.idle.close();
  }
}

function bringOver({ live }: DatabasePair, advice: string): string {
  return `check what they were (it can be read) and bring it to ${live.color}, then: ${advice}`;
}
