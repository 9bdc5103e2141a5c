import { setTimeout as delay } from "node:timers/promises";
import type { DatabasePair } from "../../databases/colorDatabases.js";
import type { SeparateOptions, ReplicaOptions } from "../strategy.js";
import { handover as begin, type Handover } from "./handover.js";
import { findParting, findFault, requirePrimary } from "./standby.js";
import { RebuildError, reconcile as reconcileServers, sync as check } from "./reconcile.js";
import { closeServers, openServers } from "./server.js";

export const cannot = [
  "the idle color only reads: its server is a standby, and refuses every write until the switch",
  "a rollback would lose writes from the switch until the old server is a standby again (database.rebuildCommand does that); until then a rollback is refused, unless database.allowDataLoss is true",
  "requests that write through the old color while traffic moves get an error",
] as const;

export async function sync(pair: DatabasePair, options: SeparateOptions): Promise<void> {
  await check(pair, optionsOf(options));
}

/** Polls for a moment only: a preview waits for nobody. */
const previewTimeoutMs = 2000;

export async function whyNoHandover(
  pair: DatabasePair,
  { allowDataLoss, rebuildCommand, say }: SeparateOptions,
): Promise<string | undefined> {
  const servers = await openServers(pair);
  try {
    await requirePrimary(servers.live);
    const fault = await findFault(servers, previewTimeoutMs);
    // One that is only behind is waited for by the update.
    if (fault === undefined || fault.kind === "behind") return undefined;
    const parting = fault.kind === "apart" ? await findParting(servers) : undefined;
    if (parting?.kind === "left" && allowDataLoss) return undefined;
    if (parting?.kind === "promoted" && rebuildCommand.length > 0) {
      // By a release that was killed before traffic moved. The update begins with it.
      say(`${pair.idle.color} is made a standby of ${pair.live.color} first: ${parting.loss}`);
      return undefined;
    }
    return `the server of ${pair.idle.color} does not have all that was written: ${fault.reason}${parting === undefined ? "" : `; ${parting.loss}`}`;
  } finally {
    await closeServers(servers);
  }
}

export async function handover(pair: DatabasePair, options: SeparateOptions): Promise<Handover> {
  const handing = await begin(pair, optionsOf(options));
  return {
    ...handing,
    async complete() {
      await handing.complete();
      // A rebuild stops the old server. Until every proxy knows that traffic has moved some users read there,
      // and nobody can tell how many.
      if (options.rebuildCommand.length > 0) await delay(options.drainMs);
    },
  };
}

export async function reconcile(pair: DatabasePair, options: SeparateOptions): Promise<void> {
  const rollbackImpossible = (why: string) => {
    options.say(`There is no rollback to ${pair.idle.color} without a loss: ${why}`);
  };
  try {
    const reconciled = await reconcileServers(pair, optionsOf(options));
    if (!reconciled.followed) rollbackImpossible(`${reconciled.reason}. Next: ${reconciled.next}`);
  } catch (error) {
    // Traffic has moved and users lose nothing: to fail here would undo none of it. Whatever needs the
    // standby refuses.
    if (!(error instanceof RebuildError)) throw error;
    rollbackImpossible(error.message);
  }
}

export async function isReconciled(
  pair: DatabasePair,
  { rebuildCommand }: SeparateOptions,
): Promise<boolean> {
  const servers = await openServers(pair);
  try {
    const fault = await findFault(servers, previewTimeoutMs);
    if (fault === undefined || fault.kind === "behind") return true;
    // Somebody rebuilds it by hand; all there is to do until then is to refuse writes.
    return rebuildCommand.length === 0 && (fault.kind !== "apart" || servers.idle.identity.readOnly);
  } finally {
    await closeServers(servers);
  }
}

function optionsOf({
  say,
  budgetMs,
  allowDataLoss,
  rebuildCommand,
  rebuildBudgetMs,
}: SeparateOptions): ReplicaOptions {
  return {
    say,
    budgetMs,
    allowDataLoss,
    ...(rebuildCommand.length > 0 && { rebuildCommand, rebuildBudgetMs }),
  };
}
