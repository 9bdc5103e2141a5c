import { UserError } from "../../util/userError.js";
import { shellWord } from "../../util/shellWord.js";
import { catchUp } from "./catchUp.js";
import { notReplicated, refuseDifferences, refuseUnreplicable } from "./compare.js";
import { reconcileSides } from "./reconcile.js";
import { publish, filled, replicatedTables } from "./tables.js";
import type { DatabasePair } from "../../databases/colorDatabases.js";
import { withPair, type Direction, type PairOptions } from "./side.js";
import { refresh, subscribe, subscriptionName, subscriptionState } from "./subscription.js";

/**
 * Makes the idle color's database a copy of the live one that follows it from then on, and refuses
 * everybody else's writes to it. The migrations have run on both. Can be killed and called again at
 * any point: a copy that has begun continues.
 * @throws UserError when the databases differ, cannot be replicated, or the idle one is not there in time
 */
export async function sync(pair: DatabasePair, options: PairOptions): Promise<void> {
  await withPair(pair, "The databases were not synchronised", options.budgetMs, async (sides) => {
    const { live, idle } = sides;
    const direction = { from: live, to: idle };
    await refuseDifferences(sides);
    await refuseUnreplicable(live);
    await reconcileSides(sides, options);
    const left = await notReplicated(live);
    if (left.length > 0) options.say(`PostgreSQL does not replicate these: ${left.join(", ")}`);
    await publish(live);
    await refuseFilled(direction);
    if ((await subscriptionState(direction)) === "active") await refresh(direction);
    else await subscribe(direction, "active");
    await catchUp(direction, options);
  });
}

/** What is to be copied must be empty: nothing is ever overwritten. */
async function refuseFilled(direction: Direction): Promise<void> {
  const { to } = direction;
  const { rows } = await to.session.query<{ oid: number }>(
    "SELECT srrelid AS oid FROM pg_subscription_rel r JOIN pg_subscription s ON s.oid = r.srsubid WHERE s.subname = $1",
    [subscriptionName(direction)],
  );
  const known = new Set(rows.map(({ oid }) => oid));
  const tables = (await replicatedTables(to)).filter(({ oid }) => !known.has(oid)).map(({ name }) => name);
  const inTheWay = await filled(to, tables);
  if (inTheWay.length === 0) return;
  throw new UserError({
    code: "BG-IDLE-DATABASE-NOT-EMPTY",
    what: `The database of ${to.color} was not overwritten: it has rows of its own in ${inTheWay.join(", ")}`,
    rule: `these tables do not follow ${direction.from.color} yet, and are copied from it as a whole`,
    next: `if nobody needs them: psql "$URL_OF_${to.color.toUpperCase()}" -c "SET default_transaction_read_only = off" -c ${shellWord(`TRUNCATE ${tables.join(", ")}`)}; then pulumi up`,
  });
}
