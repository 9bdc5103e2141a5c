import { UserError } from "../../util/userError.js";
import type { DatabasePair } from "../../databases/colorDatabases.js";
import { defaultBudgetMs, type ReplicaOptions } from "../strategy.js";
import { findParting, type Parting } from "./parting.js";
import { rebuildAdvice } from "./rebuild.js";
import { closeServers, openServers } from "./server.js";
import { findFault, requireAsynchronous, requirePrimary, type Fault } from "./standby.js";

/**
 * Before pods of the idle color start: is its server a standby of the live one, and close behind it?
 * Changes nothing. One that was left behind will do, too, when what it lacks may be lost.
 * @throws UserError with the reason and what to do
 */
export async function sync(pair: DatabasePair, options: ReplicaOptions = {}): Promise<void> {
  const servers = await openServers(pair);
  try {
    await requirePrimary(servers.live);
    await requireAsynchronous(servers.idle);
    const fault = await findFault(servers, options.budgetMs ?? defaultBudgetMs);
    if (fault === undefined) return;
    const parting = fault.kind === "apart" ? await findParting(servers) : undefined;
    // It is the rollback that somebody has asked for.
    if (parting?.kind === "left" && options.allowDataLoss === true) return;
    throw noStandby(fault, parting, pair, options);
  } finally {
    await closeServers(servers);
  }
}

/** Why nothing continues without a standby. */
function noStandby(
  fault: Fault,
  parting: Parting | undefined,
  pair: DatabasePair,
  { rebuildCommand }: ReplicaOptions,
): UserError {
  return new UserError({
    code: "BG-STANDBY-SERVER-MISSING",
    what: `The server of ${pair.idle.color} is no standby of ${pair.live.color}, so ${pair.idle.color} may not start on it`,
    rule: parting === undefined ? fault.reason : `${fault.reason}: ${parting.loss}`,
    next:
      fault.kind === "behind" ? "wait until it follows, then pulumi up" : rebuildAdvice(rebuildCommand, pair),
  });
}
