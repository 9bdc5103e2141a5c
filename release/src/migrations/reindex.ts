import { dropLeftovers } from "./dropLeftovers.js";
import type { Session } from "./session.js";
import type { ConcurrentReindex, Statement } from "./statements.js";
import type { Work } from "./work.js";

/**
 * Builds indexes anew concurrently. When that is interrupted, an INVALID index stays beside the real one:
 * the new one, _ccnew, or the old one, _ccold, when the new one has taken its place already. Neither is of
 * use to anybody, both cost every write, and the next attempt would not look at them.
 */
export async function reindex(work: Work, target: ConcurrentReindex, statement: Statement, start: () => Promise<void>): Promise<void> {
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
  index: "SELECT indrelid FROM pg_index WHERE indexrelid IN (SELECT to_regclass($1) UNION SELECT relid FROM pg_partition_tree(to_regclass($1)))",
  table: "SELECT to_regclass($1)::oid UNION SELECT relid FROM pg_partition_tree(to_regclass($1))",
  schema: "SELECT oid FROM pg_class WHERE relnamespace = to_regnamespace($1)",
  database: "SELECT oid FROM pg_class WHERE $1 <> ''",
};

/** Quoted names. Those of the index itself are told by its name, to which PostgreSQL adds a suffix, and cuts it to 63 bytes. */
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
