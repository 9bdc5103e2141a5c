import type { RetrySettings } from "../postgres/retry.js";
import { codeOf, deadlockDetected, type Session } from "../postgres/session.js";
import type { Statement } from "../sql/statements.js";
import { messageOf, UserError } from "../util/userError.js";
import type { MigrationFile } from "./files.js";

/** How a run treats the users of the database it changes. All times in milliseconds. */
export interface RunnerSettings extends RetrySettings {
  /**
   * How long a statement may wait for a lock. Everybody who comes after it waits as long, live users
   * included.
   */
  tableLockTimeoutMs: number;
  /** The same for CONCURRENTLY, which waits for all older transactions and holds up nobody. */
  concurrentLockTimeoutMs: number;
  /** How long a batch of a backfill should take: its rows stay locked as long. */
  batchTargetMs: number;
  /** A backfill pauses while a replica is further behind. */
  maxReplicationLagMs: number;
}

export const defaultRunnerSettings: RunnerSettings = {
  tries: 5,
  retryDelayMs: 1000,
  tableLockTimeoutMs: 2000,
  concurrentLockTimeoutMs: 600_000,
  batchTargetMs: 100,
  maxReplicationLagMs: 5000,
};

/** What it takes to apply one migration. */
export interface Work {
  session: Session;
  /** Quoted: has the runner's own tables. */
  schema: string;
  file: MigrationFile;
  settings: RunnerSettings;
  /** Says what a person who waits should know. */
  say: (line: string) => void;
  onProgress: (progress: BackfillProgress) => void;
}

/** The error of a migration that did not get through. */
export function failure(
  { file, session }: Work,
  how: string,
  error: unknown,
  statement?: Statement,
): UserError {
  const at = statement === undefined ? file.path : `${file.path}:${statement.line}`;
  if (session.signal?.aborted === true) {
    return new UserError(
      {
        code: "BG-MIGRATION-CANCELED",
        what: `Migration ${file.id}_${file.name} was canceled and ${how}`,
        rule: `${messageOf(session.signal.reason)} (${at})`,
        next: "pulumi up continues from there",
      },
      { cause: error },
    );
  }
  return new UserError(
    {
      code: "BG-MIGRATION-FAILED",
      what: `Migration ${file.id}_${file.name} failed and ${how}`,
      rule: `${reasonOf(error)} (${at})`,
      next: `correct the cause, or ${file.path}, then pulumi up; the migrations before it stay applied`,
    },
    { cause: error },
  );
}

/** A deadlock's detail names both parties. Other details may quote rows, which are nobody's business here. */
function reasonOf(error: unknown): string {
  const detail =
    codeOf(error) === deadlockDetected && error instanceof Error && "detail" in error
      ? `: ${String(error.detail)}`
      : "";
  return messageOf(error) + detail;
}

/** How far a backfill is. */
export interface BackfillProgress {
  /** ID_NAME of the migration. */
  migration: string;
  rowsDone: number;
  /** PostgreSQL's own estimate of the table's rows; undefined when it has none. */
  rowsTotal: number | undefined;
  /** Of this run, pauses included. */
  rowsPerSecond: number;
  /** Undefined when it cannot be told. */
  secondsLeft: number | undefined;
  /** Size of the next batch. */
  batchSize: number;
}

/** Measures a run that begins with `doneBefore` rows behind it. */
export function startProgress(
  migration: string,
  doneBefore: number,
  rowsTotal: number | undefined,
): (rowsDone: number, batchSize: number) => BackfillProgress {
  const startedAt = performance.now();
  return (rowsDone, batchSize) => {
    const rowsPerSecond = (rowsDone - doneBefore) / Math.max((performance.now() - startedAt) / 1000, 0.001);
    const secondsLeft =
      rowsTotal === undefined || rowsPerSecond === 0
        ? undefined
        : Math.max(rowsTotal - rowsDone, 0) / rowsPerSecond;
    return { migration, rowsDone, rowsTotal, rowsPerSecond, secondsLeft, batchSize };
  };
}

/** A migration that was applied. */
export interface AppliedMigration {
  /** ID_NAME of the migration. */
  migration: string;
  tookMs: number;
  /** Changed by this and all earlier runs; undefined when it is no backfill. */
  rows: number | undefined;
}

const sayEveryMs = 5000;

/**
 * Which batches a person wants to read of: the first of each backfill, and then one every five
 * seconds. Not the first when it was all there was: the line that says so comes at once.
 * @param now in milliseconds
 */
export function worthSaying(
  now: () => number = () => performance.now(),
): (progress: BackfillProgress) => boolean {
  let said = { migration: "", at: 0 };
  return ({ migration, secondsLeft }) => {
    const isFirst = migration !== said.migration;
    if (!isFirst && now() - said.at < sayEveryMs) return false;
    said = { migration, at: now() };
    return !(isFirst && secondsLeft === 0);
  };
}

/** One line for people. */
export function formatProgress({
  migration,
  rowsDone,
  rowsTotal,
  rowsPerSecond,
  secondsLeft,
}: BackfillProgress): string {
  const total = rowsTotal === undefined ? "" : ` of about ${number(rowsTotal)}`;
  const left = secondsLeft === undefined ? "" : `, about ${number(secondsLeft)} s left`;
  return `${migration}: ${number(rowsDone)}${total} rows, ${number(rowsPerSecond)} rows/s${left}`;
}

/** One line for people. The time of what took none is nobody's business. */
export function formatApplied({ migration, tookMs, rows }: AppliedMigration): string {
  const changed = rows === undefined ? "" : `, ${number(rows)} rows`;
  const took = tookMs < 1000 ? "" : ` in ${number(tookMs / 1000)} s`;
  return `${migration}: applied${changed}${took}`;
}

function number(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}
