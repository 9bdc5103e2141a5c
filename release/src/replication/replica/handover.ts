import { takeLock } from "../../postgres/advisoryLock.js";
import { DeadlineError, poll } from "../../util/poll.js";
import { messageOf, UserError } from "../../util/userError.js";
import type { DatabasePair } from "../../databases/colorDatabases.js";
import type { HeldWriters } from "../holdWriters.js";
import {
  allowWrites,
  refuseWrites,
  holdServer,
  closeServers,
  openServers,
  type Server,
  type Servers,
} from "./server.js";
import {
  completed,
  noteHandover,
  findParting,
  waitForReplay,
  writeMark,
  findFault,
  requireAsynchronous,
  requirePrimary,
  type Fault,
} from "./standby.js";
import { defaultBudgetMs, type ReplicaOptions } from "../strategy.js";
import { rebuildAdvice } from "./reconcile.js";

/**
 * The idle color's server takes writes, and all writers of the live one wait. PostgreSQL lets them
 * continue there when this process dies.
 */
export interface Handover {
  /**
   * To be called right before traffic moves.
   * @throws UserError when the writers of the live server do not wait any longer: traffic must stay
   */
  confirm(): Promise<void>;
  /**
   * After traffic has moved: the old server refuses writes from now on, and who waited there gets an error
   * instead of writing to it. When it fails they continue waiting, until this process ends: `reconcile` at once.
   */
  complete(): Promise<void>;
  /**
   * Traffic stays: the writers continue where they waited. A server that was promoted is no standby any more,
   * `sync` says so.
   */
  cancel(): Promise<void>;
}

/** Users wait meanwhile. */
const mostHeldMs = 10_000;
const promoteBudgetMs = 60_000;

/**
 * Right before traffic moves from the live color to the idle one: makes all writers wait, waits until
 * the standby has replayed everything that was acknowledged, and promotes it. DDL, roles and large
 * objects are not held; the lock of the migrations is, when both use the same database of the server.
 * @throws UserError when it cannot be done without a loss; the writers continue then
 */
export async function handover(pair: DatabasePair, options: ReplicaOptions = {}): Promise<Handover> {
  const { say = () => undefined, budgetMs = defaultBudgetMs } = options;
  const servers = await openServers(pair);
  let held: HeldWriters | undefined;
  const releaseAndClose = async () => {
    await held?.release();
    await closeServers(servers);
  };
  try {
    await requirePrimary(servers.live);
    await requireAsynchronous(servers.idle);
    await takeLock(servers.live, 0, `The databases were not touched (server of ${servers.live.color})`);
    const fault = await findFault(servers, budgetMs);
    const loss = fault === undefined ? undefined : await acceptedLoss(servers, fault, pair, options);
    // Left from when it was the old primary: a standby refuses writes without it, too.
    if (loss === undefined && servers.idle.identity.readOnly) await allowWrites(pair.idle);
    held = await holdServer(servers.live, { say, budgetMs });
    const heldAt = performance.now();
    if (loss === undefined) await promote(servers, held, Math.min(budgetMs, mostHeldMs), pair, options);
    else {
      say(`${pair.idle.color} takes writes as it is: ${loss}`);
      await allowWrites(pair.idle);
    }
    const waiting = held;
    return {
      confirm: () => waiting.confirm(),
      async complete() {
        await refuseWrites(pair.live);
        // Otherwise they have continued before it refused writes, and reconcile() checks what they did.
        const waited = await waiting.confirm().then(
          () => true,
          () => false,
        );
        if (waited) await noteHandover(servers.idle, completed);
        await releaseAndClose();
        say(
          `${pair.live.color} refuses writes; its writers have waited ${Math.round(performance.now() - heldAt)} ms`,
        );
      },
      async cancel() {
        if (loss !== undefined) await refuseWrites(pair.idle);
        await releaseAndClose();
      },
    };
  } catch (error) {
    await releaseAndClose();
    throw error;
  }
}

/**
 * What is lost, for people. @throws UserError when it is not accepted, or more than what came after a switch
 */
async function acceptedLoss(
  servers: Servers,
  fault: Fault,
  pair: DatabasePair,
  { allowDataLoss = false, rebuildCommand }: ReplicaOptions,
): Promise<string> {
  const parting = fault.kind === "apart" ? await findParting(servers) : undefined;
  if (parting?.kind === "left" && allowDataLoss) return parting.loss;
  const advice = rebuildAdvice(rebuildCommand, pair);
  throw new UserError({
    code: "BG-WRITES-WOULD-BE-LOST",
    what: `The database was not handed over from ${pair.live.color} to ${pair.idle.color}`,
    rule: `the server of ${pair.idle.color} does not have all that was written: ${fault.reason}${parting === undefined ? "" : `; ${parting.loss}`}`,
    next:
      parting?.kind === "left"
        ? `${advice}; or give up what was written since: pulumi config set --path database.allowDataLoss true`
        : advice,
  });
}

async function promote(
  { live, idle }: Servers,
  held: HeldWriters,
  replayBudgetMs: number,
  pair: DatabasePair,
  { rebuildCommand }: ReplicaOptions,
): Promise<void> {
  const last = await writeMark(live);
  const behind = await waitForReplay(idle, last, replayBudgetMs, () => held.confirm());
  if (behind !== undefined) {
    throw new UserError({
      code: "BG-REPLICATION-BEHIND",
      what: `The database was not handed over from ${live.color} to ${idle.color}; its writers continue`,
      rule: `the standby does not have all that was written: ${behind}`,
      next: "wait until it follows, then pulumi up",
    });
  }
  await idle.query("SELECT pg_promote(false)");
  // From here on there are two primaries; the live color's is the one that is written to, unless traffic moves.
  try {
    await waitUntilWritable(idle, held);
    await noteHandover(idle, last.transaction);
    // The writers have waited all the time when their session still lives now.
    await held.confirm();
  } catch (error) {
    throw new UserError(
      {
        code: "BG-PROMOTION-FAILED",
        what: `The database was not handed over from ${live.color} to ${idle.color}; its writers continue. ${idle.color} was told to become a primary, and is no standby any more`,
        rule:
          error instanceof DeadlineError
            ? `its promotion takes longer than ${promoteBudgetMs / 1000} s`
            : messageOf(error),
        next: rebuildAdvice(rebuildCommand, pair),
      },
      { cause: error },
    );
  }
}

async function waitUntilWritable(server: Server, held: HeldWriters): Promise<void> {
  await poll(
    async () => {
      await held.confirm();
      const { writable } = await server.row<{ writable: boolean }>(
        "SELECT NOT current_setting('transaction_read_only')::bool AS writable",
      );
      return writable ? true : undefined;
    },
    { timeoutMs: promoteBudgetMs, intervalMs: 20 },
  );
}
