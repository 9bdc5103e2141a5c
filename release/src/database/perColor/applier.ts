import { escapeIdentifier } from "pg";
import { thisDatabase, type Side } from "./side.js";
import { replicatedTables } from "./tables.js";

/**
 * What comes along with a table, its triggers and the functions of its indexes and checks, is run by a subscription: since
 * PostgreSQL 16 with the rights of the table's owner, and before with those of the subscription's, who has to be a superuser
 * to get it, and need not stay one. So it gets a role of its own that may write to these tables, and do nothing else.
 * To be called in the transaction that makes or changes the subscription.
 */
export async function giveToApplier(to: Side, subscription: string): Promise<void> {
  const { session, version } = to;
  if (version >= 160_000) return;
  const { rows } = await session.query<{ role: string; database: string; isThere: boolean }>(
    `SELECT role, current_database() AS database, EXISTS (SELECT FROM pg_roles WHERE rolname = role) AS "isThere" FROM format('bluegreen_apply_%s', ${thisDatabase}) AS role`,
  );
  for (const { role, database, isThere } of rows) {
    // A worker has to be a role that may log in. Nobody else does so as this one: it has no password, and workers do not count for the limit.
    await session.query(`${isThere ? "ALTER" : "CREATE"} ROLE ${role} SUPERUSER LOGIN BYPASSRLS CONNECTION LIMIT 0`);
    await session.query(`GRANT CONNECT ON DATABASE ${escapeIdentifier(database)} TO ${role}`);
    const tables = await replicatedTables(to);
    if (tables.length > 0) {
      await session.query(`GRANT USAGE ON SCHEMA ${[...new Set(tables.map(({ schema }) => schema))].join(", ")} TO ${role}`);
      await session.query(`GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ${tables.map(({ name }) => name).join(", ")} TO ${role}`);
    }
    await session.query(`ALTER SUBSCRIPTION ${subscription} OWNER TO ${role}`);
    await session.query(`ALTER ROLE ${role} NOSUPERUSER`);
  }
}
