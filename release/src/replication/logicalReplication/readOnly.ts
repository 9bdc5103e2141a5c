import { escapeIdentifier } from "pg";
import { poll } from "../../util/poll.js";
import type { Side } from "./side.js";

/** How long sessions get to end, in milliseconds. */
const endMs = 10_000;

/**
 * From here on nobody but this program and the replication writes to the database: a write there
 * would conflict with what is replicated. A guard against mistakes and late writers, not against
 * somebody who sets default_transaction_read_only himself.
 */
export async function refuseWrites(side: Side): Promise<void> {
  await alterDatabase(side, "SET default_transaction_read_only = on");
  await endSessions(side);
}

/** Takes the writes of everybody. Does nothing when the database does so already. */
export async function allowWrites(side: Side): Promise<void> {
  if (!(await refusesWrites(side))) return;
  await alterDatabase(side, "RESET default_transaction_read_only");
  await endSessions(side);
}

export async function refusesWrites({ session }: Side): Promise<boolean> {
  const { rows } = await session.query<{ refuses: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
       WHERE d.datname = current_database() AND s.setrole = 0 AND 'default_transaction_read_only=on' = ANY (s.setconfig)) AS refuses`,
  );
  return rows[0]?.refuses === true;
}

async function alterDatabase({ session }: Side, change: string): Promise<void> {
  const { rows } = await session.query<{ database: string }>("SELECT current_database() AS database");
  for (const { database } of rows)
    await session.query(`ALTER DATABASE ${escapeIdentifier(database)} ${change}`);
}

/**
 * A setting of a database reaches only sessions that begin after it. Replication continues: it is no client's
 * session.
 */
async function endSessions({ session }: Side): Promise<void> {
  const { rows } = await session.query<{ now: string }>("SELECT clock_timestamp()::text AS now");
  let clean = 0;
  await poll(
    async () => {
      const { rowCount } = await session.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND backend_type = 'client backend' AND application_name !~ '^bluegreen ' AND backend_start <= $1`,
        [rows[0]?.now],
      );
      // Twice: a session that was about to begin is not in the first list.
      clean = rowCount === 0 ? clean + 1 : 0;
      return clean === 2 ? true : undefined;
    },
    { timeoutMs: endMs, intervalMs: 10 },
  );
}
