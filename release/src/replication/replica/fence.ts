import { DeadlineError, poll } from "../../util/poll.js";
import { UserError } from "../../util/userError.js";
import type { ColorDatabase } from "../../databases/colorDatabases.js";
import { ownSessions, Server } from "./server.js";
import { holdWriters, type HeldWriters, type HoldOptions } from "../holdWriters.js";

const budgetMs = 30_000;
const intervalMs = 50;

/**
 * Fences a former primary, as PostgreSQL clusters call it: makes it refuse writes, across restarts, and ends the
 * sessions that were open: also one that waits for a lock must not write there later. Readers reconnect and
 * continue. What ALTER SYSTEM does is not replicated, so a standby does not inherit it.
 * It is a default: a session that asks for a transaction that writes still gets one.
 */
export async function refuseWrites(database: ColorDatabase): Promise<void> {
  await setReadOnly(database, "ALTER SYSTEM SET default_transaction_read_only = on", true);
  const server = await Server.open(database);
  try {
    await soon(database, "to end the sessions that were open", async () => {
      const { left } = await server.row<{ left: number }>(
        // Whoever came after this session came with the new default.
        `SELECT count(pg_terminate_backend(pid))::int AS left FROM pg_stat_activity
          WHERE backend_type = 'client backend' AND application_name NOT LIKE '${ownSessions} %' AND backend_start <= (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid())`,
      );
      return left === 0 ? true : undefined;
    });
  } finally {
    await server.close();
  }
}

/** Ends what `refuseWrites` did. A standby continues to refuse writes. */
export async function allowWrites(database: ColorDatabase): Promise<void> {
  await setReadOnly(database, "ALTER SYSTEM RESET default_transaction_read_only", false);
}

/** Returns when every new session has it. */
async function setReadOnly(database: ColorDatabase, sql: string, readOnly: boolean): Promise<void> {
  const first = await Server.open(database);
  try {
    await first.query(sql);
    await first.query("SELECT pg_reload_conf()");
  } finally {
    await first.close();
  }
  await soon(database, `to be told: ${sql}`, async () => {
    const server = await Server.open(database);
    await server.close();
    return server.identity.readOnly === readOnly ? true : undefined;
  });
}

async function soon(
  database: ColorDatabase,
  what: string,
  check: () => Promise<true | undefined>,
): Promise<void> {
  try {
    await poll(check, { timeoutMs: budgetMs, intervalMs });
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    throw new UserError({
      code: "BG-DATABASE-SERVER-TIMEOUT",
      what: `The server of ${database.color} took too long ${what}`,
      rule: `given ${budgetMs / 1000} s; the setting may be overridden (command line, ALTER ROLE, ALTER DATABASE), or a session does not end`,
      next: "SELECT sourcefile, setting FROM pg_file_settings WHERE name = 'default_transaction_read_only'; SELECT * FROM pg_stat_activity; then pulumi up",
    });
  }
}

/**
 * Makes the writers of every database of a server wait, but for templates: all of them are replicated
 * together.
 */
export async function holdServer(server: Server, options: HoldOptions): Promise<HeldWriters> {
  const { rows } = await server.query<{ name: string }>(
    "SELECT datname AS name FROM pg_database WHERE datallowconn AND NOT datistemplate",
  );
  const tries = await Promise.allSettled(rows.map(({ name }) => holdWriters(urlOf(server, name), options)));
  const held = tries.flatMap((attempt) => (attempt.status === "fulfilled" ? [attempt.value] : []));
  const release = async () => {
    await Promise.all(held.map((each) => each.release()));
  };
  const failed = tries.find((attempt) => attempt.status === "rejected");
  if (failed !== undefined) {
    await release();
    throw failed.reason;
  }
  return {
    confirm: async () => {
      await Promise.all(held.map((each) => each.confirm()));
    },
    release,
  };
}

function urlOf(server: Server, name: string): string {
  const url = new URL(server.database.adminUrl);
  url.pathname = `/${encodeURIComponent(name)}`;
  return url.href;
}
