import { asAdministrator } from "../../postgres/administrator.js";
import type { ColorDatabase, DatabasePair } from "../../databases/colorDatabases.js";
import { UserError } from "../../util/userError.js";
import type { SeparateOptions } from "../strategy.js";
import { sync as synchronise } from "./reconcile.js";

export { handover } from "./handover.js";
export { reconcile } from "./reconcile.js";

export const cannot = [
  "the idle color only reads: its database follows the live one, and refuses every write until the switch",
  "requests that write through the old color while traffic moves get an error",
  "large objects, unlogged tables and tables without a key are not replicated",
  "a rollback loses writes when replication back is broken: then it is refused, unless database.allowDataLoss is true",
] as const;

export async function sync(pair: DatabasePair, options: SeparateOptions): Promise<void> {
  try {
    await synchronise(pair, options);
  } catch (error) {
    // A rollback whose loss was accepted must not wait for a copy.
    if (!options.allowDataLoss || !(error instanceof UserError)) throw error;
    options.say(`continuing although the databases are not in sync, as was accepted: ${error.message}`);
  }
}

export async function whyNoHandover(
  pair: DatabasePair,
  { allowDataLoss }: SeparateOptions,
): Promise<string | undefined> {
  return allowDataLoss ? undefined : whyNotFollowing(pair);
}

export async function isReconciled(pair: DatabasePair): Promise<boolean> {
  const [live, idle] = await Promise.all([inspect(pair.live), inspect(pair.idle)]);
  return (
    live.subscriptions.length === 0 &&
    !live.readOnly &&
    idle.readOnly &&
    (await whyNotFollowing(pair)) === undefined
  );
}

async function whyNotFollowing({ live, idle }: DatabasePair): Promise<string | undefined> {
  const { subscriptions } = await inspect(idle);
  const following = subscriptions.find(({ name }) => name === `bluegreen_from_${live.color}`);
  if (following === undefined)
    return `the database of ${idle.color} does not follow the one of ${live.color}`;
  if (!following.enabled)
    return `the replication from ${live.color} to ${idle.color} is disabled: PostgreSQL's log of ${idle.color} says why`;
  return following.working
    ? undefined
    : `no worker applies what ${live.color} writes to the database of ${idle.color}: PostgreSQL's log there says why`;
}

interface Inspected {
  readOnly: boolean;
  subscriptions: { name: string; enabled: boolean; working: boolean }[];
}

/** Without the lock of a run: a preview must not stop an update. */
function inspect({ adminUrl }: ColorDatabase): Promise<Inspected> {
  return asAdministrator(adminUrl, ({ transaction }) =>
    transaction(async (db) => {
      const { rows: settings } = await db.query<{ readOnly: boolean }>(
        `SELECT current_setting('default_transaction_read_only')::bool AS "readOnly"`,
      );
      const { rows: subscriptions } = await db.query<{ name: string; enabled: boolean; working: boolean }>(
        `SELECT subname AS name, subenabled AS enabled, EXISTS (SELECT FROM pg_stat_subscription t WHERE t.subid = s.oid AND t.pid IS NOT NULL) AS working
         FROM pg_subscription s WHERE subname LIKE 'bluegreen\\_%' AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      );
      return { readOnly: settings[0]?.readOnly === true, subscriptions };
    }),
  );
}
