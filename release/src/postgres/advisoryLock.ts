import { DeadlineError, poll } from "../util/poll.js";
import type { Queryable } from "./client.js";
import { UserError } from "../util/userError.js";

/** Identifies this program's lock among all advisory locks of a database: the letters "bgrn". */
const advisoryLock = 0x6267_726e;

/**
 * Polls instead of waiting inside PostgreSQL: a session that waits in pg_advisory_lock holds a
 * snapshot, and CREATE INDEX CONCURRENTLY in the other session waits for exactly that.
 */
export async function takeLock(
  session: Queryable,
  timeoutMs: number,
  what = "The migrations were not started",
): Promise<void> {
  try {
    await poll(
      async () => {
        const { rows } = await session.query<{ taken: boolean }>("SELECT pg_try_advisory_lock($1) AS taken", [
          advisoryLock,
        ]);
        return rows[0]?.taken === true ? true : undefined;
      },
      { timeoutMs },
    );
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    const holder = await lockHolder(session);
    // It ended after the last check: the lock is free, or somebody else's by now.
    if (holder === undefined) return takeLock(session, timeoutMs, what);
    throw new UserError({
      code: "BG-DATABASE-LOCK-HELD",
      what: `${what}: another run holds the lock (${holder})`,
      rule: `one run at a time; waited ${timeoutMs / 1000} s`,
      next: "wait for it, or end it if it is dead: SELECT pg_terminate_backend(PID)",
    });
  }
}

async function lockHolder(session: Queryable): Promise<string | undefined> {
  const { rows } = await session.query<{ holder: string }>(
    `SELECT format('pid %s, user %s, from %s, since %s', a.pid, a.usename, coalesce(host(a.client_addr), 'socket'), a.backend_start) AS holder
       FROM pg_locks l JOIN pg_stat_activity a USING (pid)
      WHERE l.locktype = 'advisory' AND l.granted AND l.classid = 0 AND l.objid = $1
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    [advisoryLock],
  );
  return rows[0]?.holder;
}
