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
