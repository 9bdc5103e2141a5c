import { Refusal } from "../../refusal.js";
import type { DatabasePair } from "../colorDatabase.js";
import { defaultBudgetMs, type ReplicaOptions } from "./options.js";
import { findParting } from "./parting.js";
import { rebuildAdvice } from "./rebuild.js";
import { closeServers, openServers, type Servers } from "./server.js";
import { findFault, requireAsynchronous, requirePrimary, type Fault } from "./standby.js";

/**
 * Before pods of the idle color start: is its server a standby of the live one, and close behind it?
 * Changes nothing.
 * @throws Refusal with the reason and what to do
 */
export async function sync(pair: DatabasePair, options: ReplicaOptions = {}): Promise<void> {
  const servers = await openServers(pair);
  try {
    await requirePrimary(servers.live);
    await requireAsynchronous(servers.idle);
    const fault = await findFault(servers, options.budgetMs ?? defaultBudgetMs);
    if (fault !== undefined) throw await noStandby(servers, fault, pair, options);
  } finally {
    await closeServers(servers);
  }
}

/** Why nothing goes on without a standby. */
async function noStandby(servers: Servers, fault: Fault, pair: DatabasePair, { rebuildCommand }: ReplicaOptions): Promise<Refusal> {
  return new Refusal({
    what: `The server of ${pair.idle.color} is no standby of ${pair.live.color}, so ${pair.idle.color} may not start on it`,
    rule: fault.kind === "apart" ? `${fault.reason}: ${(await findParting(servers)).loss}` : fault.reason,
    next: fault.kind === "behind" ? "wait until it follows, then pulumi up" : rebuildAdvice(rebuildCommand, pair),
  });
}
