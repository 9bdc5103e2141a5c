import { escapeIdentifier, escapeLiteral } from "pg";
import type { Server } from "./server.js";

const setting = "bluegreen.handover";

/** The old primary refused writes before its writers were let go: nothing was written there afterwards. */
export const completed = "completed";

/**
 * Writes down, on the new primary, how far the old one was when it was left: its last transaction, or `completed`.
 * A setting of the database that nobody else reads: no table is needed for it.
 */
export async function noteHandover(primary: Server, note: string): Promise<void> {
  const { name } = await primary.row<{ name: string }>("SELECT current_database() AS name");
  await primary.query(`ALTER DATABASE ${escapeIdentifier(name)} SET ${setting} = ${escapeLiteral(note)}`);
}

/**
 * How many transactions the old primary has begun after it was left: none, unless the release was killed
 * after traffic had moved and before the old primary refused writes. Then who had waited there wrote to it.
 */
export async function lateTransactions(primary: Server, old: Server): Promise<number> {
  const { rows } = await primary.query<{ note: string }>(
    `SELECT split_part(entry, '=', 2) AS note FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase, unnest(s.setconfig) entry
      WHERE d.datname = current_database() AND s.setrole = 0 AND entry LIKE '${setting}=%'`,
  );
  const last = rows[0]?.note ?? completed;
  if (last === completed) return 0;
  const { late } = await old.row<{ late: string }>("SELECT (pg_snapshot_xmax(pg_current_snapshot())::text::numeric - $1::numeric - 1)::text AS late", [last]);
  return Number(late);
}

/**
 * How many transactions others have begun on a server since it was promoted for a switch: none, unless
 * traffic was there, and somebody took it back past a release.
 */
export async function strangeTransactions(promoted: Server): Promise<number> {
  // The note itself was one.
  return Math.max(0, (await lateTransactions(promoted, promoted)) - 1);
}
