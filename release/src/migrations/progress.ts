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
export function startProgress(migration: string, doneBefore: number, rowsTotal: number | undefined): (rowsDone: number, batchSize: number) => BackfillProgress {
  const startedAt = performance.now();
  return (rowsDone, batchSize) => {
    const rowsPerSecond = (rowsDone - doneBefore) / Math.max((performance.now() - startedAt) / 1000, 0.001);
    const secondsLeft = rowsTotal === undefined || rowsPerSecond === 0 ? undefined : Math.max(rowsTotal - rowsDone, 0) / rowsPerSecond;
    return { migration, rowsDone, rowsTotal, rowsPerSecond, secondsLeft, batchSize };
  };
}

/** One line for people. */
export function formatProgress({ migration, rowsDone, rowsTotal, rowsPerSecond, secondsLeft }: BackfillProgress): string {
  const number = (value: number) => Math.round(value).toLocaleString("en-US");
  const total = rowsTotal === undefined ? "" : ` of about ${number(rowsTotal)}`;
  const left = secondsLeft === undefined ? "" : `, about ${number(secondsLeft)} s left`;
  return `${migration}: ${number(rowsDone)}${total} rows, ${number(rowsPerSecond)} rows/s${left}`;
}
