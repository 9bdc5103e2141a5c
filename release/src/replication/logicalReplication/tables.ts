import { escapeLiteral } from "pg";
import type { Side, Direction } from "./side.js";

/** What the runner writes about each database itself. */
const ofTheRunner = [
  "schema_migrations",
  "schema_backfills",
  "schema_migration_statements",
  "schema_switches",
];

/** Of the users, not of PostgreSQL, an extension or the runner. `c` is pg_class, `n` its pg_namespace. */
export const ofUsers = `c.relpersistence <> 't' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND c.relname NOT IN (${ofTheRunner.map((name) => escapeLiteral(name)).join(", ")})
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`;

/** A table that has rows of its own. */
export interface Table {
  oid: number;
  /** Quoted. */
  schema: string;
  /** Quoted, with its schema. */
  name: string;
  /** Something tells its rows apart, so that an UPDATE or DELETE can be replicated. */
  identified: boolean;
}

/** The tables that are replicated, in the order of their names. */
export async function replicatedTables({ session }: Side): Promise<Table[]> {
  const { rows } = await session.query<Table>(
    `SELECT c.oid, format('%I', n.nspname) AS schema, format('%I.%I', n.nspname, c.relname) AS name,
            c.relreplident = 'f' OR EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisvalid AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END) AS identified
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND ${ofUsers} ORDER BY 3`,
  );
  return rows;
}

/**
 * Those of `tables` that have rows. TABLESAMPLE, which leaves none out here, refuses a view that was put in a
 * table's place: its functions would run as who looks.
 */
export async function filled({ session }: Side, tables: string[]): Promise<string[]> {
  const found: string[] = [];
  for (const table of tables) {
    const { rowCount } = await session.query(`SELECT FROM ONLY ${table} TABLESAMPLE SYSTEM (100) LIMIT 1`);
    if (rowCount === 1) found.push(table);
  }
  return found;
}

/**
 * A sequence continues so far ahead of the other side's: numbers that a late writer still draws there
 * are not drawn here again. Less where a sequence has little left.
 */
const jump = 1000;

const sequencesOf = `SELECT format('%I.%I', n.nspname, c.relname) AS name, s.seqincrement AS step,
    coalesce(pg_sequence_last_value(c.oid), s.seqstart) AS value, CASE WHEN s.seqincrement > 0 THEN s.seqmax ELSE s.seqmin END AS bound
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_sequence s ON s.seqrelid = c.oid WHERE ${ofUsers}`;

/** Logical replication does not carry sequences. To be called while nobody writes rows. */
export async function copySequences({ from, to }: Direction): Promise<void> {
  const { rows } = await from.session.query<{ name: string; value: string }>(
    `SELECT name, (value + step * least(${jump}, trunc((bound::numeric - value) / step / 100)))::text AS value FROM (${sequencesOf}) s`,
  );
  if (rows.length === 0) return;
  await to.session.query(
    "SELECT setval(name::regclass, value::bigint) FROM unnest($1::text[], $2::text[]) AS s (name, value)",
    [rows.map(({ name }) => name), rows.map(({ value }) => value)],
  );
}

export function publicationOf({ color }: Side): string {
  return `bluegreen_${color}`;
}

/** Publishes the tables that there are now. A subscription sees new ones when it is refreshed. */
export async function publish(side: Side): Promise<void> {
  const { session } = side;
  const name = publicationOf(side);
  const tables = (await replicatedTables(side)).map((table) => table.name);
  const { rows } = await session.query<{ tables: string[] }>(
    `SELECT array(SELECT format('%I.%I', schemaname, tablename) FROM pg_publication_tables t WHERE t.pubname = p.pubname ORDER BY 1) AS tables FROM pg_publication p WHERE p.pubname = $1`,
    [name],
  );
  const [found] = rows;
  if (found?.tables.join() === tables.join()) return;
  if (found !== undefined && tables.length > 0) {
    await session.query(`ALTER PUBLICATION ${name} SET TABLE ${tables.join(", ")}`);
    return;
  }
  // There is no statement that takes the last table from a publication.
  await session.query(`DROP PUBLICATION IF EXISTS ${name}`);
  await session.query(
    `CREATE PUBLICATION ${name}${tables.length > 0 ? ` FOR TABLE ${tables.join(", ")}` : ""}`,
  );
}
