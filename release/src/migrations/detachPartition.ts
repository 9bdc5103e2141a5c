import type { ConcurrentDetach, Statement } from "./statements.js";
import type { Work } from "./work.js";

/**
 * Detaches a partition concurrently. When that is interrupted, the partition is neither in nor out: it has to be
 * finalized, and nothing else of its table can be detached before.
 */
export async function detachPartition({ session, say }: Work, { table, partition }: ConcurrentDetach, statement: Statement, startedBefore: boolean, start: () => Promise<void>): Promise<void> {
  const { rows } = await session.query<{ pending: boolean }>(
    `SELECT coalesce((to_jsonb(i) ->> 'inhdetachpending')::boolean, false) AS pending FROM pg_inherits i WHERE inhparent = to_regclass($1) AND inhrelid = to_regclass($2)`,
    [table, partition],
  );
  // Detached by the attempt before this one, which did not live to say so.
  if (rows.length === 0 && startedBefore) return;
  // One that somebody else has detached is refused by the statement, and next time, too.
  if (rows.length > 0) await start();
  if (rows[0]?.pending === true) {
    say(`finalizing ${partition}, which an interrupted run has begun to detach from ${table}`);
    await session.query(`ALTER TABLE ${table} DETACH PARTITION ${partition} FINALIZE`);
  } else await session.query(statement.sql);
}
