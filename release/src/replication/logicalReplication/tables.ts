import { escapeLiteral } from "pg";
import { readRecords, recordsSchemas, type Recorded } from "../../migrations/records.js";
import { UserError } from "../../util/userError.js";
import type { Side, Direction, Sides } from "./side.js";

/** What the runner writes about each database itself. */
const ofTheRunner = [
  "schema_migrations",
  "schema_backfills",
  "schema_migration_statements",
  "schema_switches",
];

/** Of the users, not of PostgreSQL, an extension or the runner. `c` is pg_class, `n` its pg_namespace. */
const ofUsers = `c.relpersistence <> 't' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND c.relname NOT IN (${ofTheRunner.map((name) => escapeLiteral(name)).join(", ")})
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`;

/** A table that has rows of its own. */
interface Table {
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

/** More would not be read. */
const shownDifferences = 10;

/** Everything that has to be the same for a row of one database to fit into the other, as lines of text. */
const facts = `
  WITH t AS (SELECT c.oid, c.relkind, format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'S') AND ${ofUsers})
  SELECT format('sequence %s', name) AS fact FROM t WHERE relkind = 'S'
  UNION ALL SELECT format('table %s', name) FROM t WHERE relkind <> 'S'
  UNION ALL
  SELECT format('column %s.%I %s%s%s%s', t.name, a.attname, format_type(a.atttypid, a.atttypmod),
                (SELECT format(' (%s)', string_agg(enumlabel, ', ' ORDER BY enumsortorder)) FROM pg_enum WHERE enumtypid = a.atttypid HAVING count(*) > 0),
                CASE WHEN a.attnotnull THEN ' not null' END, CASE WHEN a.attgenerated <> '' THEN ' generated' END)
    FROM t JOIN pg_attribute a ON a.attrelid = t.oid WHERE t.relkind <> 'S' AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL SELECT pg_get_indexdef(i.indexrelid) FROM t JOIN pg_index i ON i.indrelid = t.oid
  UNION ALL SELECT format('constraint %s %I %s', t.name, k.conname, pg_get_constraintdef(k.oid)) FROM t JOIN pg_constraint k ON k.conrelid = t.oid`;

/**
 * @throws UserError when a change of one database would not fit into the other, or could not be replicated at
 * all
 */
export async function refuseDifferences({ live, idle }: Sides): Promise<void> {
  const migrations = differences(live, await appliedMigrations(live), idle, await appliedMigrations(idle));
  if (migrations.length > 0) {
    throw new UserError({
      code: "BG-SCHEMAS-DIFFER",
      what: `The databases were not synchronised: ${migrations.join("; ")}`,
      rule: "the same migrations have run on both",
      next: "run the migrations on both databases, the idle one first: pulumi up",
    });
  }
  const schemas = differences(live, await factsOf(live), idle, await factsOf(idle));
  if (schemas.length > 0) {
    throw new UserError({
      code: "BG-SCHEMAS-DIFFER",
      what: `The databases were not synchronised, their schemas differ: ${schemas.join("; ")}`,
      rule: "tables, columns, types, indexes, constraints and sequences are the same on both",
      next: "make the change by a migration, so that it is made on both; undo what was made by hand on one of them",
    });
  }
}

/** @throws UserError naming what logical replication cannot carry */
export async function refuseUnreplicable(live: Side): Promise<void> {
  const unidentified = (await replicatedTables(live))
    .filter(({ identified }) => !identified)
    .map(({ name }) => name);
  if (unidentified.length > 0) {
    throw new UserError({
      code: "BG-NOT-REPLICABLE",
      what: `The databases were not synchronised: nothing tells the rows apart in ${unidentified.join(", ")}`,
      rule: "every table has a primary key, or another replica identity: PostgreSQL would refuse each UPDATE and DELETE once it is published",
      next: `add a primary key by a migration, or where there is none: ALTER TABLE ${unidentified[0] ?? ""} REPLICA IDENTITY FULL`,
    });
  }
  const { rows } = await live.session.query<{ objects: number }>(
    "SELECT count(*)::int AS objects FROM pg_largeobject_metadata",
  );
  const { objects = 0 } = rows[0] ?? {};
  if (objects > 0) {
    throw new UserError({
      code: "BG-NOT-REPLICABLE",
      what: `The databases were not synchronised: the one of ${live.color} has ${objects} large objects`,
      rule: "PostgreSQL does not replicate large objects logically",
      next: "move them to a bytea column or to a bucket, and remove them with lo_unlink",
    });
  }
}

/**
 * What PostgreSQL does not replicate, and what can be made again: unlogged and foreign tables, materialized
 * views.
 */
export async function notReplicated({ session }: Side): Promise<string[]> {
  const { rows } = await session.query<{ name: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE (c.relkind IN ('m', 'f') OR c.relkind = 'r' AND c.relpersistence = 'u') AND ${ofUsers} ORDER BY 1`,
  );
  return rows.map(({ name }) => name);
}

async function appliedMigrations({ session }: Side): Promise<string[]> {
  const records: Recorded[] = [];
  for (const schema of await recordsSchemas(session)) records.push(...(await readRecords(session, schema)));
  return records.map(
    ({ id, name, checksum }) =>
      `migration ${id}_${name}${checksum === null ? "" : ` (${checksum.slice(0, 8)})`}`,
  );
}

async function factsOf({ session }: Side): Promise<string[]> {
  const { rows } = await session.query<{ fact: string }>(facts);
  return rows.map(({ fact }) => fact);
}

function differences(live: Side, ofLive: string[], idle: Side, ofIdle: string[]): string[] {
  const only = (side: Side, some: string[], others: string[]) => {
    const known = new Set(others);
    return some.filter((fact) => !known.has(fact)).map((fact) => `only ${side.color} has ${fact}`);
  };
  const all = [...only(live, ofLive, ofIdle), ...only(idle, ofIdle, ofLive)];
  return all.length > shownDifferences
    ? [...all.slice(0, shownDifferences), `and ${all.length - shownDifferences} more`]
    : all;
}
