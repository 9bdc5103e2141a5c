import { escapeLiteral } from "pg";
import type { Queryable } from "../postgres/client.js";
import type { Migration } from "./files.js";

/** How far a backfill has come. */
export interface Checkpoint {
  /** The last key that was done, each of its columns as text; null before the first. */
  lastKey: string[] | null;
  rowsDone: number;
}

const table = "schema_backfills";

/** The checkpoint of a backfill. A finished one, and one of a file that was corrected since, begins again. */
export async function openCheckpoint(
  db: Queryable,
  schema: string,
  { id, checksum }: Migration,
): Promise<Checkpoint> {
  await db.query(`CREATE TABLE IF NOT EXISTS ${schema}.${table} (
    id text PRIMARY KEY,
    checksum text NOT NULL,
    last_key text[],
    rows_done bigint NOT NULL DEFAULT 0,
    started_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
  )`);
  await db.query(
    `DELETE FROM ${schema}.${table} WHERE id = $1 AND (finished_at IS NOT NULL OR checksum <> $2)`,
    [id, checksum],
  );
  await db.query(`INSERT INTO ${schema}.${table} (id, checksum) VALUES ($1, $2) ON CONFLICT DO NOTHING`, [
    id,
    checksum,
  ]);
  const { rows } = await db.query<{ lastKey: string[] | null; rowsDone: string }>(
    `SELECT last_key AS "lastKey", rows_done AS "rowsDone" FROM ${schema}.${table} WHERE id = $1`,
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
    `UPDATE ${schema}.${table} SET last_key = $2, rows_done = $3, updated_at = clock_timestamp() WHERE id = $1`,
    [id, lastKey, rowsDone],
  );
}

/** To be committed together with the record of the migration. */
export async function finishCheckpoint(db: Queryable, schema: string, { id }: Migration): Promise<void> {
  await db.query(`UPDATE ${schema}.${table} SET finished_at = clock_timestamp() WHERE id = $1`, [id]);
}

/** Rows done by each backfill that has begun. Makes nothing. */
export async function readCheckpoints(db: Queryable, schema: string): Promise<Map<string, number>> {
  const { rows: found } = await db.query<{ there: boolean }>(
    `SELECT to_regclass(${escapeLiteral(`${schema}.${table}`)}) IS NOT NULL AS there`,
  );
  if (found[0]?.there !== true) return new Map();
  const { rows } = await db.query<{ id: string; done: string }>(
    `SELECT id, rows_done AS done FROM ${schema}.${table} WHERE finished_at IS NULL`,
  );
  return new Map(rows.map(({ id, done }) => [id, Number(done)]));
}
