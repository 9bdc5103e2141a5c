import { setTimeout as delay } from "node:timers/promises";
import { startApp, type AppFigures } from "./app";
import type { Contender } from "./contenders";
import { tableBytes, type BenchDatabase } from "./database";

/** How a contender did. */
export interface Outcome {
  name: string;
  rows: number;
  seconds: number;
  rowsPerSecond: number;
  /**
   * Rows a second of the first and of the last tenth of its rows; undefined where it does not show how far it
   * is.
   */
  tenths: { first: number; last: number } | undefined;
  /** Its time was up before it was through. */
  stopped: boolean;
  app: AppFigures;
  tableBytes: number;
}

interface Sample {
  atMs: number;
  rows: number;
}

/** Beside no backfill at all, in milliseconds. */
const aloneMs = 10_000;

/** What users get when nobody fills anything. */
export async function measureAlone(database: BenchDatabase, rows: number): Promise<AppFigures> {
  return onCopy(database, async (url) => {
    const stopApp = startApp(url, rows);
    await delay(aloneMs);
    return stopApp();
  });
}

/**
 * Lets a contender fill the column of a fresh copy, while both versions of the app use the table.
 * @param limitMs after which it is stopped
 */
export async function measure(
  contender: Contender,
  database: BenchDatabase,
  rows: number,
  limitMs: number,
  progress: (text: string) => void,
): Promise<Outcome> {
  return onCopy(database, async (url) => {
    const stopApp = startApp(url, rows);
    const startedAt = performance.now();
    const samples: Sample[] = [{ atMs: 0, rows: 0 }];
    const signal = AbortSignal.timeout(limitMs);
    const done = (doneRows: number) => {
      samples.push({ atMs: performance.now() - startedAt, rows: doneRows });
      progress(`${doneRows.toLocaleString("en-US")} of ${rows.toLocaleString("en-US")} rows`);
    };
    await contender.run({ url, signal, done }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    const tookMs = performance.now() - startedAt;
    const app = await stopApp();
    const last = samples.at(-1) ?? { atMs: 0, rows: 0 };
    return {
      name: contender.name,
      rows: last.rows,
      seconds: tookMs / 1000,
      rowsPerSecond: last.rows / (tookMs / 1000),
      tenths:
        samples.length < 10
          ? undefined
          : {
              first: rateBetween(samples, 0, last.rows / 10),
              last: rateBetween(samples, last.rows * 0.9, last.rows),
            },
      stopped: signal.aborted,
      app,
      tableBytes: await tableBytes(url),
    };
  });
}

async function onCopy<T>(database: BenchDatabase, work: (url: string) => Promise<T>): Promise<T> {
  const name = "copy";
  const url = await database.copy(name);
  try {
    return await work(url);
  } finally {
    await database.drop(name);
  }
}

function rateBetween(samples: Sample[], from: number, to: number): number {
  return (to - from) / ((atRows(samples, to) - atRows(samples, from)) / 1000);
}

/** When so many rows were done, in a straight line between two samples. */
function atRows(samples: Sample[], rows: number): number {
  const index = samples.findIndex((sample) => sample.rows >= rows);
  const [before, after] = [samples[index - 1], samples[index]];
  if (after === undefined) return Number.NaN;
  if (before === undefined) return after.atMs;
  return before.atMs + ((rows - before.rows) / (after.rows - before.rows)) * (after.atMs - before.atMs);
}
