import { DeadlineError, poll } from "../../poll.js";
import type { Server } from "./server.js";

const lookEveryMs = 20;

/** A place in the WAL. */
export interface Mark {
  position: string;
  /** The transaction that wrote it. */
  transaction: string;
}

/**
 * Writes a mark into the WAL of a primary and returns where it is: everything that was committed
 * before stands before it. pg_current_wal_lsn() would not do: what was committed asynchronously may
 * be acknowledged and not written out yet. The mark is committed synchronously, so everything up to it is
 * written out and on its way to the standby.
 */
export async function writeMark(primary: Server): Promise<Mark> {
  return primary.row<Mark>("SELECT pg_logical_emit_message(true, 'bluegreen', 'mark')::text AS position, pg_current_xact_id()::text AS transaction");
}

/**
 * Waits until a standby has replayed everything up to a position.
 * @param confirm called at each look; what it throws ends the wait
 * @returns why it has not in time, undefined when it has
 */
export async function waitForReplay(standby: Server, { position }: Mark, budgetMs: number, confirm: () => Promise<void> = () => Promise.resolve()): Promise<string | undefined> {
  try {
    await poll(
      async () => {
        await confirm();
        const { replayed } = await standby.row<{ replayed: boolean }>("SELECT coalesce(pg_last_wal_replay_lsn() >= $1::pg_lsn, false) AS replayed", [position]);
        return replayed ? true : undefined;
      },
      { timeoutMs: budgetMs, intervalMs: lookEveryMs },
    );
    return undefined;
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    const { bytes, paused } = await standby.row<{ bytes: string; paused: boolean }>(
      "SELECT pg_wal_lsn_diff($1::pg_lsn, pg_last_wal_replay_lsn())::text AS bytes, CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() ELSE false END AS paused",
      [position],
    );
    return `it is ${bytes} bytes of WAL behind, waited ${budgetMs / 1000} s${paused ? "; its replay is paused: SELECT pg_wal_replay_resume()" : ""}`;
  }
}
