import { escapeIdentifier, escapeLiteral } from "pg";
import type { AppDatabase } from "../postgres/appDatabase.js";
import type { Queryable } from "../postgres/client.js";
import type { Migration } from "./files.js";

/** A row of schema_migrations. */
export interface Recorded {
  id: string;
  name: string;
  appliedAt: Date;
  /** Null when it was applied by a version that kept none. */
  checksum: string | null;
  phase: string | null;
}

/** What a schema_migrations of the first form, (id, name, applied_at), does not have. */
const later = ["checksum", "phase"] as const;

/**
 * The schema, quoted, that has the schema_migrations of the role that asks; undefined when there is none yet.
 */
export async function recordsSchema(db: AppDatabase): Promise<string | undefined> {
  const { rows } = await db.query<{ schema: string }>(
    `SELECT n.nspname AS schema FROM unnest($1::name[]) WITH ORDINALITY AS own (name, place) JOIN pg_namespace n ON n.nspname = own.name JOIN pg_class c ON c.relnamespace = n.oid
      WHERE c.relname = 'schema_migrations' ORDER BY own.place LIMIT 1`,
    [db.schemas],
  );
  // Written out from now on: a migration may change the search path.
  return rows[0] && escapeIdentifier(rows[0].schema);
}

/**
 * Every schema, quoted, that has one, for who asks as another role than the migrations: its search path says
 * nothing.
 */
export async function recordsSchemas(db: Queryable): Promise<string[]> {
  const { rows } = await db.query<{ schema: string }>(
    `SELECT n.nspname AS schema FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relname = 'schema_migrations' AND c.relkind = 'r' AND c.relpersistence <> 't'
        AND (SELECT count(*) FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped AND a.attname IN ('id', 'name', 'applied_at')) = 3 ORDER BY 1`,
  );
  return rows.map(({ schema }) => escapeIdentifier(schema));
}

/** Makes the table, or adds to it what an older one lacks. What is there already is not locked. */
export async function prepareRecords(db: AppDatabase): Promise<string> {
  const found = await recordsSchema(db);
  const [first] = db.schemas;
  if (found === undefined && first === undefined)
    throw new Error("schema_migrations could not be made: no schema of the role's search_path is there");
  const schema = found ?? escapeIdentifier(first ?? "");
  if (found === undefined) {
    await db.query(`CREATE TABLE IF NOT EXISTS ${schema}.schema_migrations (
      id text PRIMARY KEY,
      name text NOT NULL,
      applied_at timestamptz NOT NULL DEFAULT now(),
      checksum text,
      phase text
    )`);
  }
  const missing = await columnsMissing(db, schema);
  if (missing.length > 0) {
    await db.query(
      `ALTER TABLE ${schema}.schema_migrations ${missing.map((name) => `ADD COLUMN IF NOT EXISTS ${name} text`).join(", ")}`,
    );
  }
  return schema;
}

/** Those of `later` that a table of the first form does not have. */
async function columnsMissing(db: Queryable, schema: string): Promise<string[]> {
  const { rows } = await db.query<{ column: string }>(
    `SELECT attname AS column FROM pg_attribute WHERE attrelid = ${escapeLiteral(`${schema}.schema_migrations`)}::regclass AND NOT attisdropped`,
  );
  return later.filter((name) => !rows.some(({ column }) => column === name));
}

/**
 * Reads a table of any age. Whoever owns it must not have anything computed by who reads it: TABLESAMPLE
 * refuses a view, and columns are taken as they are, without a cast or a function that may be the owner's.
 */
export async function readRecords(db: Queryable, schema: string): Promise<Recorded[]> {
  const missing = await columnsMissing(db, schema);
  const columns = later.map((name) => (missing.includes(name) ? `NULL AS ${name}` : `m.${name}`));
  const { rows } = await db.query<Recorded>(
    `SELECT m.id, m.name, m.applied_at AS "appliedAt", ${columns.join(", ")} FROM ONLY ${schema}.schema_migrations m TABLESAMPLE SYSTEM (100) ORDER BY m.id`,
  );
  return rows;
}

/** What is applied to a database; nothing where there is no table yet. */
export async function readApplied(db: AppDatabase): Promise<Recorded[]> {
  const schema = await recordsSchema(db);
  return schema === undefined ? [] : readRecords(db, schema);
}

/** Gives a row of an older version the checksum that its file has today. */
export async function adoptChecksum(
  db: Queryable,
  schema: string,
  { id, checksum, phase }: Migration,
): Promise<void> {
  await db.query(
    `UPDATE ${schema}.schema_migrations SET checksum = $2, phase = $3 WHERE id = $1 AND checksum IS NULL`,
    [id, checksum, phase],
  );
}

/** To be committed together with the migration. */
export async function insertRecord(
  db: Queryable,
  schema: string,
  { id, name, checksum, phase }: Migration,
): Promise<void> {
  await db.query(
    `INSERT INTO ${schema}.schema_migrations (id, name, checksum, phase) VALUES ($1, $2, $3, $4)`,
    [id, name, checksum, phase],
  );
}
