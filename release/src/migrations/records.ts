import { escapeIdentifier, escapeLiteral } from "pg";
import type { Migration } from "./files.js";
import type { Queryable } from "./session.js";

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

/** The schema, quoted, that has schema_migrations; undefined when there is none yet. */
export async function recordsSchema(db: Queryable): Promise<string | undefined> {
  const { rows } = await db.query<{ schema: string }>(
    "SELECT nspname AS schema FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass('schema_migrations')",
  );
  // Written out from now on: a migration may change the search path.
  return rows[0] && escapeIdentifier(rows[0].schema);
}

/** Makes the table, or adds to it what an older one lacks. What is there already is not locked. */
export async function prepareRecords(db: Queryable): Promise<string> {
  if ((await recordsSchema(db)) === undefined) {
    await db.query(`CREATE TABLE IF NOT EXISTS schema_migrations (
      id text PRIMARY KEY,
      name text NOT NULL,
      applied_at timestamptz NOT NULL DEFAULT now(),
      checksum text,
      phase text
    )`);
  }
  const schema = await recordsSchema(db);
  if (schema === undefined) throw new Error("schema_migrations was made, and is not on the search path");
  const { rows } = await db.query<{ column: string }>(`SELECT attname AS column FROM pg_attribute WHERE attrelid = ${escapeLiteral(`${schema}.schema_migrations`)}::regclass AND NOT attisdropped`);
  const missing = later.filter((name) => !rows.some(({ column }) => column === name));
  if (missing.length > 0) {
    await db.query(`ALTER TABLE ${schema}.schema_migrations ${missing.map((name) => `ADD COLUMN IF NOT EXISTS ${name} text`).join(", ")}`);
  }
  return schema;
}

/** Reads a table of any age. */
export async function readRecords(db: Queryable, schema: string): Promise<Recorded[]> {
  const { rows } = await db.query<Recorded>(
    `SELECT m.id, m.name, m.applied_at AS "appliedAt", to_jsonb(m) ->> 'checksum' AS checksum, to_jsonb(m) ->> 'phase' AS phase FROM ${schema}.schema_migrations m ORDER BY m.id`,
  );
  return rows;
}

/** What is applied to a database; nothing where there is no table yet. */
export async function readApplied(db: Queryable): Promise<Recorded[]> {
  const schema = await recordsSchema(db);
  return schema === undefined ? [] : readRecords(db, schema);
}

/** Gives a row of an older version the checksum that its file has today. */
export async function adoptChecksum(db: Queryable, schema: string, { id, checksum, phase }: Migration): Promise<void> {
  await db.query(`UPDATE ${schema}.schema_migrations SET checksum = $2, phase = $3 WHERE id = $1 AND checksum IS NULL`, [id, checksum, phase]);
}

/** To be committed together with the migration. */
export async function insertRecord(db: Queryable, schema: string, { id, name, checksum, phase }: Migration): Promise<void> {
  await db.query(`INSERT INTO ${schema}.schema_migrations (id, name, checksum, phase) VALUES ($1, $2, $3, $4)`, [id, name, checksum, phase]);
}
