import { buildIndex, reindex } from "./buildIndex.js";
import { forgetNotes, noteFinished, noteStarted, readNotes, insertRecord } from "./records.js";
import { withRetries } from "../postgres/retry.js";
import { codeOf, undefinedObject } from "../postgres/session.js";
import {
  concurrentDetachOf,
  concurrentIndexOf,
  concurrentReindexOf,
  dropsIndexConcurrently,
  isConcurrent,
  splitStatements,
  standsAlone,
  type Statement,
  type ConcurrentDetach,
} from "../sql/statements.js";
import { failure, type Work } from "./work.js";

/**
 * Applies a migration statement by statement. A statement that can be in a transaction shares one
 * with the note that it was executed. One that cannot is noted before and after; interrupted in
 * between it is executed again, so it has to be repeatable: what is built, rebuilt or detached
 * CONCURRENTLY is made so here.
 */
export async function applyStatements(work: Work): Promise<void> {
  const { session, schema, file, settings, say } = work;
  const statements = await splitStatements(file.path, file.sql);
  const notes = await readNotes(session, schema, file, statements);
  for (const [position, statement] of statements.entries()) {
    const note = notes.get(position);
    if (note?.finished === true) continue;
    const finish = () => noteFinished(session, schema, file, position, statement);
    const start = () => noteStarted(session, schema, file, position, statement);
    const attempt = standsAlone(statement)
      ? async () => {
          await executeAlone(work, statement, note !== undefined, start);
          await finish();
        }
      : () =>
          session.transaction(async () => {
            await session.query(statement.sql);
            await finish();
          });
    try {
      await withRetries(attempt, settings, say, session.signal);
    } catch (error) {
      throw failure(
        work,
        `stopped at statement ${position + 1} of ${statements.length}; those before it stay, and are not executed again`,
        error,
        statement,
      );
    }
  }
  await session.transaction(async () => {
    await forgetNotes(session, schema, file);
    await insertRecord(session, schema, file);
  });
}

async function executeAlone(
  work: Work,
  statement: Statement,
  startedBefore: boolean,
  start: () => Promise<void>,
): Promise<void> {
  const { session, settings } = work;
  await session.setLockTimeout(
    isConcurrent(statement) ? settings.concurrentLockTimeoutMs : settings.tableLockTimeoutMs,
  );
  try {
    const index = concurrentIndexOf(statement);
    const reindexed = concurrentReindexOf(statement);
    const detached = concurrentDetachOf(statement);
    if (index !== undefined) await buildIndex(work, index, statement, startedBefore, start);
    else if (reindexed !== undefined) await reindex(work, reindexed, statement, start);
    else if (detached !== undefined) await detachPartition(work, detached, statement, startedBefore, start);
    else {
      await start();
      await session.query(statement.sql);
    }
  } catch (error) {
    // Gone by the attempt before this one, which did not live to say so.
    if (!(startedBefore && dropsIndexConcurrently(statement) && codeOf(error) === undefinedObject))
      throw error;
  } finally {
    // Fails when the connection is gone, or when all is canceled: then there is nothing left to wait for.
    await session.setLockTimeout(settings.tableLockTimeoutMs).catch(() => undefined);
  }
}

/**
 * Detaches a partition concurrently. When that is interrupted, the partition is neither in nor out: it has to
 * be finalized, and nothing else of its table can be detached before.
 */
async function detachPartition(
  { session, say }: Work,
  { table, partition }: ConcurrentDetach,
  statement: Statement,
  startedBefore: boolean,
  start: () => Promise<void>,
): Promise<void> {
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

/** Applies a migration and its record in one transaction. */
export async function applyWhole(work: Work): Promise<void> {
  const { session, schema, file, settings, say } = work;
  const statements = await splitStatements(file.path, file.sql);
  let current: Statement | undefined;
  const attempt = () =>
    session.transaction(async () => {
      for (const statement of statements) {
        current = statement;
        await session.query(statement.sql);
      }
      current = undefined;
      await insertRecord(session, schema, file);
    });
  try {
    await withRetries(attempt, settings, say, session.signal);
  } catch (error) {
    throw failure(work, "was rolled back", error, current);
  }
}
