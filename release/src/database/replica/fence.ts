import { poll } from "../../poll.js";
import type { ColorDatabase } from "../colorDatabase.js";
import { ownSessions, Server } from "./server.js";

const budgetMs = 30_000;
const intervalMs = 50;

/**
 * Makes a server refuse writes, across restarts, and ends the sessions that were open: also one that
 * waits for a lock must not write there later. Readers come again and go on. What ALTER SYSTEM does is
 * not replicated, so a standby does not inherit it.
 * It is a default: a session that asks for a transaction that writes still gets one.
 */
export async function refuseWrites(database: ColorDatabase): Promise<void> {
  await setReadOnly(database, "ALTER SYSTEM SET default_transaction_read_only = on", true);
  const server = await Server.open(database);
  try {
    await poll(
      async () => {
        const { left } = await server.row<{ left: number }>(
          // Whoever came after this session came with the new default.
          `SELECT count(pg_terminate_backend(pid))::int AS left FROM pg_stat_activity
            WHERE backend_type = 'client backend' AND application_name NOT LIKE '${ownSessions} %' AND backend_start <= (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid())`,
        );
        return left === 0 ? true : undefined;
      },
      { timeoutMs: budgetMs, intervalMs },
    );
  } finally {
    await server.close();
  }
}

/** Takes back what `refuseWrites` did. A standby goes on refusing writes. */
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
  await poll(
    async () => {
      const server = await Server.open(database);
      await server.close();
      return server.identity.readOnly === readOnly ? true : undefined;
    },
    { timeoutMs: budgetMs, intervalMs },
  );
}
