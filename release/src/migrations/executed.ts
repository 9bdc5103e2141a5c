import { createHash } from "node:crypto";
import type { Queryable } from "../postgres/client.js";
import { UserError } from "../util/userError.js";
import type { MigrationFile } from "./files.js";
import type { Statement } from "../sql/statements.js";

/** The note on a statement of a migration without a transaction. */
export interface Note {
  position: number;
  checksum: string;
  finished: boolean;
}

const table = "schema_migration_statements";

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
  await db.query(`CREATE TABLE IF NOT EXISTS ${schema}.${table} (
    id text,
    position int,
    checksum text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    PRIMARY KEY (id, position)
  )`);
  const { rows } = await db.query<Note>(
    `SELECT position, checksum, finished_at IS NOT NULL AS finished FROM ${schema}.${table} WHERE id = $1 ORDER BY position`,
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
    `INSERT INTO ${schema}.${table} (id, position, checksum) VALUES ($1, $2, $3) ON CONFLICT (id, position) DO UPDATE SET checksum = excluded.checksum, started_at = now()`,
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
    `INSERT INTO ${schema}.${table} (id, position, checksum, finished_at) VALUES ($1, $2, $3, clock_timestamp())
     ON CONFLICT (id, position) DO UPDATE SET checksum = excluded.checksum, finished_at = excluded.finished_at`,
    [id, position, checksumOf(statement)],
  );
}

/** Nobody needs the notes of a recorded migration. */
export async function forgetNotes(db: Queryable, schema: string, { id }: MigrationFile): Promise<void> {
  await db.query(`DELETE FROM ${schema}.${table} WHERE id = $1`, [id]);
}

function checksumOf({ sql }: Statement): string {
  return createHash("sha256").update(sql).digest("hex");
}
