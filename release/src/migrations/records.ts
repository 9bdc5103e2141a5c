import { createHash } from "node:crypto";
import { escapeIdentifier, escapeLiteral } from "pg";
import type { Queryable } from "../postgres/client.js";
import type { AppDatabase } from "../postgres/appDatabase.js";
import type { Statement } from "../sql/statements.js";
import { UserError } from "../util/userError.js";
import type { Migration, MigrationFile } from "./files.js";

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

/** The note on a statement of a migration without a transaction. */
interface Note {
  position: number;
  checksum: string;
  finished: boolean;
}

const notesTable = "schema_migration_statements";

/**
 * What an interrupted run has executed of a migration, by position.
 * @throws UserError when one of those statements is another one now
 */
export async function readNotes(
  db: Queryable,
  schema: string,
  { id, path }: MigrationFile,
  statements: Statement[],
): Promise<Map<number, Note>> {
  await db.query(`CREATE TABLE IF NOT EXISTS ${schema}.${notesTable} (
    id text,
    position int,
    checksum text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    PRIMARY KEY (id, position)
  )`);
  const { rows } = await db.query<Note>(
    `SELECT position, checksum, finished_at IS NOT NULL AS finished FROM ${schema}.${notesTable} WHERE id = $1 ORDER BY position`,
    [id],
  );
  const same = ({ position, checksum }: Note) => {
    const statement = statements[position];
    return statement !== undefined && checksumOf(statement) === checksum;
  };
  const changed = rows.find((note) => note.finished && !same(note));
  if (changed !== undefined) {
    throw new UserError({
      code: "BG-MIGRATION-CHANGED",
      what: `${path} was refused: its statement ${changed.position + 1} is not the one that an interrupted run has executed`,
      rule: "what was executed without a transaction stays where it was in the file",
      next: "put the statement back, and write the correction after it",
    });
  }
  // A statement that only began and was corrected since has not begun.
  return new Map(rows.filter(same).map((note) => [note.position, note]));
}

export async function noteStarted(
  db: Queryable,
  schema: string,
  { id }: MigrationFile,
  position: number,
  statement: Statement,
): Promise<void> {
  await db.query(
    `INSERT INTO ${schema}.${notesTable} (id, position, checksum) VALUES ($1, $2, $3) ON CONFLICT (id, position) DO UPDATE SET checksum = excluded.checksum, started_at = now()`,
    [id, position, checksumOf(statement)],
  );
}

export async function noteFinished(
  db: Queryable,
  schema: string,
  { id }: MigrationFile,
  position: number,
  statement: Statement,
): Promise<void> {
  await db.query(
    `INSERT INTO ${schema}.${notesTable} (id, position, checksum, finished_at) VALUES ($1, $2, $3, clock_timestamp())
     ON CONFLICT (id, position) DO UPDATE SET checksum = excluded.checksum, finished_at = excluded.finished_at`,
    [id, position, checksumOf(statement)],
  );
}

/** Nobody needs the notes of a recorded migration. */
export async function forgetNotes(db: Queryable, schema: string, { id }: MigrationFile): Promise<void> {
  await db.query(`DELETE FROM ${schema}.${notesTable} WHERE id = $1`, [id]);
}

function checksumOf({ sql }: Statement): string {
  return createHash("sha256").update(sql).digest("hex");
}

/** How far a backfill has come. */
interface Checkpoint {
  /** The last key that was done, each of its columns as text; null before the first. */
  lastKey: string[] | null;
  rowsDone: number;
}

const backfillsTable = "schema_backfills";

/** The checkpoint of a backfill. A finished one, and one of a file that was corrected since, begins again. */
export async function openCheckpoint(
  db: Queryable,
  schema: string,
  { id, checksum }: Migration,
): Promise<Checkpoint> {
  await db.query(`CREATE TABLE IF NOT EXISTS ${schema}.${backfillsTable} (
    id text PRIMARY KEY,
    checksum text NOT NULL,
    last_key text[],
    rows_done bigint NOT NULL DEFAULT 0,
    started_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
  )`);
  await db.query(
    `DELETE FROM ${schema}.${backfillsTable} WHERE id = $1 AND (finished_at IS NOT NULL OR checksum <> $2)`,
    [id, checksum],
  );
  await db.query(
    `INSERT INTO ${schema}.${backfillsTable} (id, checksum) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
    [id, checksum],
  );
  const { rows } = await db.query<{ lastKey: string[] | null; rowsDone: string }>(
    `SELECT last_key AS "lastKey", rows_done AS "rowsDone" FROM ${schema}.${backfillsTable} WHERE id = $1`,
    [id],
  );
  return { lastKey: rows[0]?.lastKey ?? null, rowsDone: Number(rows[0]?.rowsDone ?? 0) };
}

/** To be committed together with the batch. */
export async function moveCheckpoint(
  db: Queryable,
  schema: string,
  { id }: Migration,
  { lastKey, rowsDone }: Checkpoint,
): Promise<void> {
  await db.query(
    `UPDATE ${schema}.${backfillsTable} SET last_key = $2, rows_done = $3, updated_at = clock_timestamp() WHERE id = $1`,
    [id, lastKey, rowsDone],
  );
}

/** To be committed together with the record of the migration. */
export async function finishCheckpoint(db: Queryable, schema: string, { id }: Migration): Promise<void> {
  await db.query(`UPDATE ${schema}.${backfillsTable} SET finished_at = clock_timestamp() WHERE id = $1`, [
    id,
  ]);
}

/** Rows done by each backfill that has begun. Makes nothing. */
export async function readCheckpoints(db: Queryable, schema: string): Promise<Map<string, number>> {
  const { rows: found } = await db.query<{ there: boolean }>(
    `SELECT to_regclass(${escapeLiteral(`${schema}.${backfillsTable}`)}) IS NOT NULL AS there`,
  );
  if (found[0]?.there !== true) return new Map();
  const { rows } = await db.query<{ id: string; done: string }>(
    `SELECT id, rows_done AS done FROM ${schema}.${backfillsTable} WHERE finished_at IS NULL`,
  );
  return new Map(rows.map(({ id, done }) => [id, Number(done)]));
}
