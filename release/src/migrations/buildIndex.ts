import { UserError } from "../util/userError.js";
import type { Session } from "../postgres/session.js";
import type { ConcurrentIndex, Statement, ConcurrentReindex } from "../sql/statements.js";
import type { Work } from "./work.js";

interface FoundIndex {
  valid: boolean;
  /** Schema and name, quoted. */
  qualified: string;
}

/**
 * Builds an index concurrently. A build that was interrupted leaves an INVALID index, which
 * IF NOT EXISTS takes for the real one: it is dropped and built again, and what was built is
 * checked before anybody records it.
 */
export async function buildIndex(
  work: Work,
  index: ConcurrentIndex,
  statement: Statement,
  startedBefore: boolean,
  start: () => Promise<void>,
): Promise<void> {
  const { session, file, say } = work;
  const { name, table } = index;
  if (name === undefined) {
    throw new UserError({
      code: "BG-MIGRATION-FILE-INVALID",
      what: `${file.path}:${statement.line} was refused: an index without a name`,
      rule: "what is left of an interrupted build is found by its name",
      next: "CREATE INDEX CONCURRENTLY name ON …",
    });
  }
  const find = () => findIndex(session, table, name);

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
    await dropLeftovers(work, async () => {
      const left = await find();
      return left?.valid === false ? [left.qualified] : [];
    });
    throw error;
  }
  if ((await find())?.valid !== true)
    throw new Error(`the index ${name} of ${table} is not valid after it was built`);
}

/** Only an index of this table: one of the same name on another table is somebody else's. */
async function findIndex(session: Session, table: string, name: string): Promise<FoundIndex | undefined> {
  const { rows } = await session.query<FoundIndex>(
    `SELECT i.indisvalid AS valid, format('%I.%I', n.nspname, x.relname) AS qualified
       FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_namespace n ON n.oid = x.relnamespace
      WHERE i.indrelid = to_regclass($1) AND x.relname = $2`,
    [table, name],
  );
  return rows[0];
}

/**
 * Drops what a failed statement has left INVALID. A unique index in that state refuses the writes of live
 * users as a valid one does: it must not stay until somebody tries again.
 * @param find the names of such indexes, quoted
 */
async function dropLeftovers({ session, settings, say }: Work, find: () => Promise<string[]>): Promise<void> {
  try {
    await session.setLockTimeout(settings.tableLockTimeoutMs);
    for (const index of await find()) await session.query(`DROP INDEX CONCURRENTLY IF EXISTS ${index}`);
  } catch {
    say("what is left of the index could not be dropped now; the next run does it");
  } finally {
    await session.setLockTimeout(settings.concurrentLockTimeoutMs).catch(() => undefined);
  }
}

/**
 * Rebuilds indexes concurrently. When that is interrupted, an INVALID index stays beside the real one:
 * the new one, _ccnew, or the old one, _ccold, when the new one has taken its place already. Neither is of
 * use to anybody, both cost every write, and the next attempt would not check them.
 */
export async function reindex(
  work: Work,
  target: ConcurrentReindex,
  statement: Statement,
  start: () => Promise<void>,
): Promise<void> {
  const { session, say } = work;
  const find = () => findLeftovers(session, target);
  for (const index of await find()) {
    say(`dropping ${index}, which an interrupted REINDEX has left INVALID`);
    await session.query(`DROP INDEX CONCURRENTLY IF EXISTS ${index}`);
  }
  await start();
  try {
    await session.query(statement.sql);
  } catch (error) {
    await dropLeftovers(work, find);
    throw error;
  }
}

/** The tables whose indexes are meant; partitions have indexes of their own. */
const tablesOf: Record<ConcurrentReindex["kind"], string> = {
  index:
    "SELECT indrelid FROM pg_index WHERE indexrelid IN (SELECT to_regclass($1) UNION SELECT relid FROM pg_partition_tree(to_regclass($1)))",
  table: "SELECT to_regclass($1)::oid UNION SELECT relid FROM pg_partition_tree(to_regclass($1))",
  schema: "SELECT oid FROM pg_class WHERE relnamespace = to_regnamespace($1)",
  database: "SELECT oid FROM pg_class WHERE $1 <> ''",
};

/**
 * Quoted names. Those of the index itself are told by its name, to which PostgreSQL adds a suffix, and cuts
 * it to 63 bytes.
 */
async function findLeftovers(session: Session, { kind, name }: ConcurrentReindex): Promise<string[]> {
  const { rows } = await session.query<{ qualified: string }>(
    `WITH tables (oid) AS (${tablesOf[kind]}),
          left_over AS (
            SELECT n.nspname, x.relname, regexp_replace(x.relname, '_cc(new|old)\\d*$', '') AS stem
              FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_namespace n ON n.oid = x.relnamespace
             WHERE NOT i.indisvalid AND x.relkind = 'i' AND x.relname ~ '_cc(new|old)\\d*$'
               AND i.indrelid IN (SELECT oid FROM tables UNION SELECT t.reltoastrelid FROM pg_class t JOIN tables USING (oid)))
     SELECT format('%I.%I', nspname, relname) AS qualified FROM left_over
      WHERE $2 <> 'index' OR EXISTS (
              SELECT 1 FROM pg_class own
               WHERE own.oid IN (SELECT to_regclass($1) UNION SELECT relid FROM pg_partition_tree(to_regclass($1)))
                 AND (own.relname = stem OR (starts_with(own.relname, stem) AND octet_length(left_over.relname) > 59)))
      ORDER BY 1`,
    [name, kind],
  );
  return rows.map(({ qualified }) => qualified);
}
