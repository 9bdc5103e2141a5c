import { converge, type LossOptions } from "./converge.js";
import type { DatabasePair } from "../colorDatabase.js";
import { withPair } from "./side.js";

/**
 * To be called after the active Service was switched, and at any other time, also after a handover
 * that was killed: the database of the live color alone takes writes, the other one follows it, and
 * no slot is left that nobody reads.
 * @throws Refusal when the live color's database lacks writes of the other one; both then stay as they are
 */
export async function settle(pair: DatabasePair, options: LossOptions): Promise<void> {
  await withPair(pair, "The databases were not settled", options.budgetMs, (sides) => converge(sides, options));
}
