import { escapeIdentifier } from "pg";
import { Refusal } from "../refusal.js";
import type { Session } from "./session.js";
import type { ConcurrentIndex, Statement } from "./statements.js";
import type { Work } from "./work.js";

interface FoundIndex {
  valid: boolean;
  /** Schema and name, quoted. */
  qualified: string;
}

/**
 * Builds an index concurrently. A build that was interrupted leaves an INVALID index, which
 * IF NOT EXISTS takes for the real one: it is dropped and built again, and what was built is
 * looked at before anybody records it.
 */
export async function buildIndex(work: Work, index: ConcurrentIndex, statement: Statement, startedBefore: boolean, start: () => Promise<void>): Promise<void> {
  const { session, file, say } = work;
  const { name, table } = index;
  if (name === undefined) {
    throw new Refusal({ what: `${file.path}:${statement.line} was refused: an index without a name`, rule: "what is left of an interrupted build is found by its name", next: "CREATE INDEX CONCURRENTLY name ON …" });
  }
  const tableName = [table.schemaname, table.relname].flatMap((part) => (part === undefined ? [] : [escapeIdentifier(part)])).join(".");
  const find = () => findIndex(session, tableName, name);

  const before = await find();
  // Built by the attempt before this one, which did not live to say so.
  if (before?.valid === true && startedBefore) return;
  if (before?.valid !== true) await start();
  if (before?.valid === false) {
    say(`dropping ${before.qualified}, which an interrupted build has left INVALID`);
    await session.query(`DROP INDEX CONCURRENTLY IF EXISTS ${before.qualified}`);
  }
  try {
    await session.query(statement.sql);
  } catch (error) {
    await dropLeftover(work, find);
    throw error;
  }
  if ((await find())?.valid !== true) throw new Error(`the index ${name} of ${tableName} is not valid after it was built`);
}

/** An INVALID unique index refuses the writes of live users as a valid one does: it must not stay until somebody tries again. */
async function dropLeftover({ session, settings, say }: Work, find: () => Promise<FoundIndex | undefined>): Promise<void> {
  try {
    await session.setLockTimeout(settings.tableLockTimeoutMs);
    const left = await find();
    if (left?.valid === false) await session.query(`DROP INDEX CONCURRENTLY IF EXISTS ${left.qualified}`);
  } catch {
    say("what is left of the index could not be dropped now; the next run does it");
  } finally {
    await session.setLockTimeout(settings.concurrentLockTimeoutMs).catch(() => undefined);
  }
}

/** Only an index of this table: one of the same name on another table is somebody else's. */
async function findIndex(session: Session, tableName: string, name: string): Promise<FoundIndex | undefined> {
  const { rows } = await session.query<FoundIndex>(
    `SELECT i.indisvalid AS valid, format('%I.%I', n.nspname, x.relname) AS qualified
       FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_namespace n ON n.oid = x.relnamespace
      WHERE i.indrelid = to_regclass($1) AND x.relname = $2`,
    [tableName, name],
  );
  return rows[0];
}
