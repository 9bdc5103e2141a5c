import { Refusal } from "../refusal.js";
import { dropLeftovers } from "./dropLeftovers.js";
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
  if ((await find())?.valid !== true) throw new Error(`the index ${name} of ${table} is not valid after it was built`);
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
