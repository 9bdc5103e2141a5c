import { buildIndex } from "./buildIndex.js";
import { detachPartition } from "./detachPartition.js";
import { forgetNotes, noteFinished, noteStarted, readNotes } from "./executed.js";
import { insertRecord } from "./records.js";
import { reindex } from "./reindex.js";
import { withRetries } from "./retry.js";
import { codeOf, undefinedObject } from "./session.js";
import { concurrentDetachOf, concurrentIndexOf, concurrentReindexOf, dropsIndexConcurrently, isConcurrent, splitStatements, standsAlone, type Statement } from "./statements.js";
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
      throw failure(work, `stopped at statement ${position + 1} of ${statements.length}; those before it stay, and are not executed again`, error, statement);
    }
  }
  await session.transaction(async () => {
    await forgetNotes(session, schema, file);
    await insertRecord(session, schema, file);
  });
}

async function executeAlone(work: Work, statement: Statement, startedBefore: boolean, start: () => Promise<void>): Promise<void> {
  const { session, settings } = work;
  await session.setLockTimeout(isConcurrent(statement) ? settings.concurrentLockTimeoutMs : settings.tableLockTimeoutMs);
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
    if (!(startedBefore && dropsIndexConcurrently(statement) && codeOf(error) === undefinedObject)) throw error;
  } finally {
    // Fails when the connection is gone, or when all is canceled: then there is nothing left to wait for.
    await session.setLockTimeout(settings.tableLockTimeoutMs).catch(() => undefined);
  }
}
