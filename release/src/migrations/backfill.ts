import { createRequire } from "node:module";
import { resolve } from "node:path";
import { escapeIdentifier } from "pg";
import type { Queryable } from "../postgres/client.js";
import { lagPause } from "../postgres/replicationLag.js";
import { withRetries } from "../postgres/retry.js";
import type { Session } from "../postgres/session.js";
import type { Batch } from "../sql/header.js";
import { splitStatements } from "../sql/statements.js";
import { loadTypeScript } from "../util/loadTypeScript.js";
import { UserError } from "../util/userError.js";
import type { MigrationFile } from "./files.js";
import { finishCheckpoint, moveCheckpoint, openCheckpoint, insertRecord } from "./records.js";
import { startProgress, failure, type Work } from "./work.js";

const firstBatch = 1000;
const smallestBatch = 100;
const largestBatch = 50_000;

/**
 * Walks through a table in the order of its key, one transaction a batch, each with its
 * checkpoint: an interrupted backfill continues after the last committed batch, and does no row twice.
 * @returns how many rows were in the batches, those of earlier runs included
 */
export async function runBackfill(work: Work): Promise<number> {
  const { session, schema, file, settings, say, onProgress } = work;
  const { batch } = file.header;
  if (batch === undefined) throw new Error(`${file.path}: a backfill without a batch was planned`);
  try {
    const { key, rows } = await inspectTable(session, file.path, batch);
    const change = await batchChange(session, file, batch, key.types);
    // PostgreSQL estimates rows between two rows by the first column alone: where that says little, it would
    // read the whole table for each batch.
    if (key.columns.length > 1) await session.query("SET enable_seqscan = off");
    let checkpoint = await openCheckpoint(session, schema, file);
    const progress = startProgress(`${file.id}_${file.name}`, checkpoint.rowsDone, rows);
    const pause = lagPause(session, settings.maxReplicationLagMs, say);
    for (let size = firstBatch; ;) {
      await pause();
      const range = await nextRange(session, key, checkpoint.lastKey, size);
      if (range === undefined) break;
      const next = { lastKey: range.last, rowsDone: checkpoint.rowsDone + range.rows };
      let tookMs = 0;
      const attempt = async () => {
        const startedAt = performance.now();
        await session.transaction(async () => {
          await change(range);
          await moveCheckpoint(session, schema, file, next);
        });
        tookMs = performance.now() - startedAt;
      };
      await withRetries(attempt, settings, say, session.signal);
      checkpoint = next;
      size = nextSize(size, tookMs, settings.batchTargetMs);
      onProgress(progress(checkpoint.rowsDone, size));
    }
    await session.transaction(async () => {
      await finishCheckpoint(session, schema, file);
      await insertRecord(session, schema, file);
    });
    return checkpoint.rowsDone;
  } catch (error) {
    throw failure(work, "stopped; the batches that were committed stay, and are not done again", error);
  }
}

/** As many rows as would have taken the target time, yet no jump: one slow batch is often an accident. */
export function nextSize(size: number, tookMs: number, targetMs: number): number {
  const factor = Math.min(Math.max(targetMs / Math.max(tookMs, 1), 0.5), 2);
  return Math.min(Math.max(Math.round(size * factor), smallestBatch), largestBatch);
}

interface Key {
  /** Both quoted. */
  table: string;
  columns: string[];
  /** Of the columns. */
  types: string[];
}

/** @throws UserError when the key does not give every row one place in one order */
async function inspectTable(
  session: Session,
  path: string,
  { table, key }: Batch,
): Promise<{ key: Key; rows: number | undefined }> {
  const { rows } = await session.query<{ table: string; types: string[]; rows: number }>(
    `SELECT format('%I.%I', n.nspname, t.relname) AS table, k.types, t.reltuples::float8 AS rows
       FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace JOIN pg_index i ON i.indrelid = t.oid AND i.indisprimary
       CROSS JOIN LATERAL (
         SELECT array_agg(a.attname::text ORDER BY c.position) AS columns, array_agg(format_type(a.atttypid, NULL) ORDER BY c.position) AS types
           FROM unnest(i.indkey) WITH ORDINALITY AS c (number, position) JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = c.number
          WHERE c.position <= i.indnkeyatts) AS k
      WHERE t.oid = to_regclass($1) AND k.columns = $2`,
    [table, key],
  );
  const [found] = rows;
  if (found === undefined) {
    const columns = key.join(", ");
    throw new UserError({
      code: "BG-BACKFILL-INVALID",
      what: `${path}: "-- batch: ${table} by ${columns}" was refused`,
      rule: `${columns} is not the primary key of a table ${table}`,
      next: "name a table, and all columns of its primary key, in its order",
    });
  }
  return {
    key: { table: found.table, columns: key.map((column) => escapeIdentifier(column)), types: found.types },
    rows: found.rows > 0 ? found.rows : undefined,
  };
}

/** The next keys after `after`: they are in the primary key's index, so no row is read twice to find them. */
async function nextRange(
  session: Session,
  { table, columns, types }: Key,
  after: string[] | null,
  size: number,
): Promise<{ first: string[]; last: string[]; rows: number } | undefined> {
  const list = columns.join(", ");
  const where = after === null ? "" : `WHERE (${list}) > ${keyRow(types, 2)}`;
  const columnsAt = (position: string) =>
    `ARRAY[${columns.map((column) => `(array_agg(${column}))[${position}]::text`).join(", ")}]`;
  const { rows } = await session.query<{ first: string[]; last: string[]; rows: number }>(
    `SELECT ${columnsAt("1")} AS first, ${columnsAt("count(*)")} AS last, count(*)::int AS rows
       FROM (SELECT ${list} FROM ${table} ${where} ORDER BY ${list} LIMIT $1) AS batch`,
    [size, ...(after ?? [])],
  );
  const [found] = rows;
  return found === undefined || found.rows === 0 ? undefined : found;
}

/**
 * The rows of a batch: from one key to another, both in it. Keys are texts, one for each column of the
 * primary key.
 */
export interface BatchRange {
  first: string[];
  last: string[];
}

/** What a backfill in TypeScript exports as its default. */
export type BatchFunction = (db: Queryable, range: BatchRange) => Promise<void>;

/**
 * What a backfill does with each batch, inside the transaction of that batch.
 * @param types of the key's columns, as PostgreSQL writes them
 * @throws UserError when the file is not such a backfill
 */
async function batchChange(
  db: Queryable,
  file: MigrationFile,
  batch: Batch,
  types: string[],
): Promise<(range: BatchRange) => Promise<void>> {
  if (file.language === "typescript") {
    const change = load(file.path);
    return (range) => change(db, range);
  }
  const statement = await batchStatement(file, batch, types);
  return async ({ first, last }) => {
    await db.query(statement, [...first, ...last]);
  };
}

function load(path: string): BatchFunction {
  // Pulumi's provider process is plain Node.js.
  loadTypeScript(process.cwd());
  const file = resolve(path);
  const loaded: unknown = createRequire(file)(file);
  if (typeof loaded === "object" && loaded !== null && "default" in loaded && isBatchFunction(loaded.default))
    return loaded.default;
  throw new UserError({
    code: "BG-BACKFILL-INVALID",
    what: `${path} was refused: it exports no function as its default`,
    rule: "a backfill in TypeScript is a function that changes the rows of one batch",
    next: "export default async function (db, { first, last }) { await db.query(…, [first[0], last[0]]); }",
  });
}

function isBatchFunction(value: unknown): value is BatchFunction {
  return typeof value === "function";
}

const placeholder = /(?<![:\w]):(first|last)\b/g;

/**
 * The statement of a backfill as PostgreSQL takes it: the range of a batch, `BETWEEN :first AND :last`,
 * becomes its parameters: those of the first row's key, then those of the last row's. Both rows belong to the
 * batch.
 * @param types of the key's columns, as PostgreSQL writes them
 * @throws UserError when the file is not one statement with a range
 */
export async function batchStatement(
  { path, sql }: Pick<MigrationFile, "path" | "sql">,
  { table, key }: Batch,
  types: string[],
): Promise<string> {
  const keyed = key.length === 1 ? key[0] : `(${key.join(", ")})`;
  const refuse = (rule: string) =>
    new UserError({
      code: "BG-BACKFILL-INVALID",
      what: `${path} was refused`,
      rule,
      next: `UPDATE ${table} SET … WHERE ${keyed} BETWEEN :first AND :last`,
    });
  const used = new Set([...sql.matchAll(placeholder)].map(([, name]) => name));
  if (used.size < 2) throw refuse("a backfill changes the rows of one batch, between :first and :last");
  const ends = { first: keyRow(types, 1), last: keyRow(types, 1 + types.length) };
  const statements = await splitStatements(
    path,
    sql.replace(placeholder, (_all, name: keyof typeof ends) => ends[name]),
  );
  const [statement] = statements;
  if (statement === undefined || statements.length > 1)
    throw refuse(`a backfill is one statement; this has ${statements.length}`);
  return statement.sql;
}

/**
 * A key as parameters.
 * @param from number of the first
 */
function keyRow(types: string[], from: number): string {
  const parameters = types.map((type, index) => `$${from + index}::${type}`).join(", ");
  return types.length === 1 ? parameters : `(${parameters})`;
}
