import { Client } from "pg";
import { DeadlineError, poll } from "../poll.js";
import { messageOf, Refusal } from "../refusal.js";
import { readSql, type Migration } from "./files.js";

export interface MigrationRun {
  /** Where the SQL files are. */
  folder: string;
  migrations: Migration[];
  /** How long to wait for another runner, in milliseconds. @default 60000 */
  lockTimeoutMs?: number;
}

export interface MigrationResult {
  /** Ids applied by this run, in order. */
  applied: string[];
  /** The newest id in schema_migrations afterwards; empty when there is none. */
  schemaVersion: string;
}

/** Identifies this program's lock among all advisory locks of a database: the letters "bgrn". */
const advisoryLock = 0x6267_726e;

/**
 * How long a statement may wait for a table lock. Everybody who comes after it waits as
 * long, live users included, so it is short: better to fail and be run again.
 */
const lockTimeout = "3s";

/**
 * Applies what schema_migrations does not have yet, each migration in a transaction with its
 * own record, all on one connection. Safe to kill at any point and to run twice at once.
 * @throws Refusal naming the migration that failed; those before it stay applied
 */
export async function runMigrations(connectionString: string, run: MigrationRun): Promise<MigrationResult> {
  const client = new Client({ connectionString, connectionTimeoutMillis: 10_000, application_name: "bluegreen migrations" });
  // A connection that breaks while idle is reported by the next query; without a listener it would end the process.
  client.on("error", () => undefined);
  await client.connect();
  try {
    await takeLock(client, run.lockTimeoutMs ?? 60_000);
    await client.query(`SET lock_timeout = '${lockTimeout}'`);
    await client.query(`CREATE TABLE IF NOT EXISTS schema_migrations (
      id text PRIMARY KEY,
      name text NOT NULL,
      applied_at timestamptz NOT NULL DEFAULT now()
    )`);
    const done = await appliedIds(client);
    const applied: string[] = [];
    for (const migration of run.migrations) {
      if (done.has(migration.id)) continue;
      await apply(client, run.folder, migration);
      applied.push(migration.id);
    }
    const ids = [...(await appliedIds(client))].sort();
    return { applied, schemaVersion: ids.at(-1) ?? "" };
  } finally {
    // Ending the session releases the advisory lock, whatever state it is in.
    await client.end();
  }
}

/**
 * Polls instead of waiting inside PostgreSQL: a session that waits in pg_advisory_lock holds a
 * snapshot, and CREATE INDEX CONCURRENTLY in the other session waits for exactly that.
 */
async function takeLock(client: Client, timeoutMs: number): Promise<void> {
  try {
    await poll(
      async () => {
        const { rows } = await client.query<{ taken: boolean }>("SELECT pg_try_advisory_lock($1) AS taken", [advisoryLock]);
        return rows[0]?.taken === true ? true : undefined;
      },
      { timeoutMs },
    );
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    throw new Refusal({
      what: `The migrations were not started: another run holds the lock (${await lockHolder(client)})`,
      rule: `one run at a time; waited ${timeoutMs / 1000} s`,
      next: "wait for it, or end it if it is dead: SELECT pg_terminate_backend(PID)",
    });
  }
}

async function lockHolder(client: Client): Promise<string> {
  const { rows } = await client.query<{ holder: string }>(
    `SELECT format('pid %s, user %s, from %s, since %s', a.pid, a.usename, coalesce(host(a.client_addr), 'socket'), a.backend_start) AS holder
       FROM pg_locks l JOIN pg_stat_activity a USING (pid)
      WHERE l.locktype = 'advisory' AND l.granted AND l.classid = 0 AND l.objid = $1`,
    [advisoryLock],
  );
  return rows[0]?.holder ?? "it has just ended";
}

async function appliedIds(client: Client): Promise<Set<string>> {
  const { rows } = await client.query<{ id: string }>("SELECT id FROM schema_migrations");
  return new Set(rows.map(({ id }) => id));
}

async function apply(client: Client, folder: string, migration: Migration): Promise<void> {
  const { id, name } = migration;
  const sql = readSql(folder, migration);
  try {
    await client.query("BEGIN");
    await client.query(sql);
    await client.query("INSERT INTO schema_migrations (id, name) VALUES ($1, $2)", [id, name]);
    await client.query("COMMIT");
  } catch (error) {
    // Fails too when the connection is gone; then the server has rolled back by itself.
    await client.query("ROLLBACK").catch(() => undefined);
    throw new Refusal(
      {
        what: `Migration ${id}_${name} failed and was rolled back`,
        rule: messageOf(error),
        next: `correct ${folder}/${id}_${name}.sql, then pulumi up; the migrations before it stay applied`,
      },
      { cause: error },
    );
  }
}
