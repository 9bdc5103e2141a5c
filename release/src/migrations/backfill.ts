import { escapeIdentifier } from "pg";
import { Refusal } from "../refusal.js";
import { batchStatement } from "./batchStatement.js";
import { finishCheckpoint, moveCheckpoint, openCheckpoint } from "./checkpoint.js";
import type { Batch } from "./header.js";
import { startProgress } from "./progress.js";
import { insertRecord } from "./records.js";
import { lagPause } from "./replicationLag.js";
import { withRetries } from "./retry.js";
import type { Session } from "./session.js";
import { failure, type Work } from "./work.js";

const firstBatch = 1000;
const smallestBatch = 100;
const largestBatch = 50_000;

/**
 * Walks through a table in the order of its key, one transaction a batch, each with its
 * checkpoint: an interrupted backfill goes on after the last committed batch, and does no row twice.
 * @returns how many rows were in the batches, those of earlier runs included
 */
export async function runBackfill(work: Work): Promise<number> {
  const { session, schema, file, settings, say, onProgress } = work;
  const { batch } = file.header;
  if (batch === undefined) throw new Error(`${file.path}: a backfill without a batch was planned`);
  try {
    const { key, rows } = await inspectTable(session, file.path, batch);
    const statement = await batchStatement(file, batch, key.type);
    let checkpoint = await openCheckpoint(session, schema, file);
    const progress = startProgress(`${file.id}_${file.name}`, checkpoint.rowsDone, rows);
    const pause = lagPause(session, settings.maxReplicationLagMs, say);
    for (let size = firstBatch; ; ) {
      await pause();
      const range = await nextRange(session, key, checkpoint.lastKey, size);
      if (range === undefined) break;
      const next = { lastKey: range.last, rowsDone: checkpoint.rowsDone + range.rows };
      let tookMs = 0;
      const attempt = async () => {
        const startedAt = performance.now();
        await session.transaction(async () => {
          await session.query(statement, [range.first, range.last]);
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
  column: string;
  type: string;
}

/** @throws Refusal when the key does not give every row one place in one order */
async function inspectTable(session: Session, path: string, { table, key }: Batch): Promise<{ key: Key; rows: number | undefined }> {
  const { rows } = await session.query<{ table: string; column: string; type: string; rows: number }>(
    `SELECT format('%I.%I', n.nspname, t.relname) AS table, a.attname AS column, format_type(a.atttypid, NULL) AS type, t.reltuples::float8 AS rows
       FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace JOIN pg_index i ON i.indrelid = t.oid AND i.indisprimary AND i.indnkeyatts = 1
       JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = i.indkey[0]
      WHERE t.oid = to_regclass($1) AND a.attname = $2`,
    [table, key],
  );
  const [found] = rows;
  if (found === undefined) {
    throw new Refusal({ what: `${path}: "-- batch: ${table} by ${key}" was refused`, rule: `${key} is not the primary key of a table ${table}`, next: "name a table, and the one column of its primary key" });
  }
  return { key: { table: found.table, column: escapeIdentifier(found.column), type: found.type }, rows: found.rows > 0 ? found.rows : undefined };
}

/** The next keys after `after`: they are in the primary key's index, so no row is read twice to find them. */
async function nextRange(session: Session, { table, column, type }: Key, after: string | null, size: number): Promise<{ first: string; last: string; rows: number } | undefined> {
  const where = after === null ? "" : `WHERE ${column} > $2::${type}`;
  const { rows } = await session.query<{ first: string | null; last: string | null; rows: number }>(
    `SELECT (array_agg(key))[1]::text AS first, (array_agg(key))[count(*)]::text AS last, count(*)::int AS rows
       FROM (SELECT ${column} AS key FROM ${table} ${where} ORDER BY ${column} LIMIT $1) AS batch`,
    after === null ? [size] : [size, after],
  );
  const [found] = rows;
  if (found === undefined || found.first === null || found.last === null) return undefined;
  return { first: found.first, last: found.last, rows: found.rows };
}
