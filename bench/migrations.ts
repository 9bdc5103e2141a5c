/**
 * `npm run bench:migrations`: fills a new column of a big table while two versions of the app read and write
 * it: this project's runner beside what people do without one, each on a fresh copy, on a PostgreSQL whose
 * commits wait for the disk. Compare the figures of one run with each other, not with another machine's.
 * `--rows N` (1,000,000), `--limit SECONDS` (120, each), `--json`.
 */
import Table from "cli-table3";
import { program } from "commander";
import { untilInterrupted } from "@bluegreen/release/util/interrupt";
import type { Task } from "../local/tasks";
import type { AppFigures } from "./backfill/app";
import { contenders } from "./backfill/contenders";
import { measure, measureAlone, type Outcome } from "./backfill/contest";
import { startBenchDatabase } from "./backfill/database";
import { runnerFor } from "./runner";
import { wholeNumber } from "./wholeNumber";

/** What the project promises for its own two, at 1,000,000 rows. */
const goals = { rowsPerSecond: 50_000, blockedMs: 500, lastToFirst: 0.9 };

interface Measured {
  rows: number;
  /** Size of the table and its indexes before, in bytes. */
  bytes: number;
  alone: AppFigures;
  outcomes: Outcome[];
}

async function compare(
  rows: number,
  limitMs: number,
  run: (tasks: Task[]) => Promise<void>,
  signal: AbortSignal,
): Promise<Measured> {
  let database: Awaited<ReturnType<typeof startBenchDatabase>> | undefined;
  const started = () => {
    signal.throwIfAborted();
    if (database === undefined) throw new Error("the database was not started");
    return database;
  };
  let stopping: Promise<void> | undefined;
  // Its sessions end with the server, and with them whatever is being measured.
  const stop = async () => {
    if (database !== undefined) await (stopping ??= database.stop());
  };
  signal.addEventListener("abort", () => void stop());
  let alone: AppFigures | undefined;
  const outcomes: Outcome[] = [];
  let bytes = 0;
  try {
    await run([
      {
        title: "PostgreSQL with the table",
        run: async (progress) => {
          database = await startBenchDatabase(rows, progress);
          ({ bytes } = database);
        },
      },
      {
        title: "the app alone",
        run: async () => {
          alone = await measureAlone(started(), rows);
        },
      },
      ...contenders.map((contender) => ({
        title: contender.name,
        run: async (progress: (text: string) => void) => {
          outcomes.push(await measure(contender, started(), rows, limitMs, progress));
        },
      })),
    ]);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    await stop();
  }
  if (alone === undefined) throw new Error("the app alone was not measured");
  return { rows, bytes, alone, outcomes };
}

const whole = (value: number) => Math.round(value).toLocaleString("en-US");
const ms = (value: number) => (value < 10 ? value.toFixed(1) : whole(value));
const times = (value: number) => `${value < 10 ? value.toFixed(1) : whole(value)}×`;
const latencies = ({ reads, writes }: AppFigures) =>
  [reads, writes].flatMap(({ p50, p99, max }) => [ms(p50), ms(p99), ms(max)]);

function show({ rows, bytes, alone, outcomes }: Measured): void {
  const table = new Table({
    head: [
      `${whole(rows)} rows`,
      "s",
      "rows/s",
      "first 10th",
      "last 10th",
      "read p50 ms",
      "p99",
      "max",
      "write p50 ms",
      "p99",
      "max",
      "blocked ms",
      "MiB more",
    ],
    colAligns: ["left", ...Array.from({ length: 12 }, () => "right" as const)],
    style: { head: [], border: [] },
  });
  table.push(["the app alone", "–", "–", "–", "–", ...latencies(alone), ms(alone.slowestMs), "–"]);
  for (const { name, rows: done, seconds, rowsPerSecond, tenths, stopped, app, tableBytes } of outcomes) {
    table.push([
      stopped ? `${name}\n(stopped at ${whole(done)} rows)` : name,
      seconds.toFixed(1),
      whole(rowsPerSecond),
      ...(tenths === undefined ? ["–", "–"] : [whole(tenths.first), whole(tenths.last)]),
      ...latencies(app),
      ms(app.slowestMs),
      whole((tableBytes - bytes) / 2 ** 20),
    ]);
  }
  console.log(table.toString());
  console.log(
    `"blocked": the slowest single statement of the app. The table had ${whole(bytes / 2 ** 20)} MiB.`,
  );
  const [ours, unthrottled, ...others] = outcomes;
  if (ours === undefined || unthrottled === undefined) return;
  for (const other of others) {
    console.log(
      `beside ${other.name}: ${times(unthrottled.rowsPerSecond / other.rowsPerSecond)} its rows/s unthrottled, ${times(ours.rowsPerSecond / other.rowsPerSecond)} by default; its longest blocked query is ${times(other.app.slowestMs / ours.app.slowestMs)} that of the default`,
    );
  }
  for (const { what, met } of verdicts(ours, unthrottled)) console.log(`${met ? "met" : "MISSED"}: ${what}`);
}

function verdicts(ours: Outcome, unthrottled: Outcome): { what: string; met: boolean }[] {
  const { first, last } = unthrottled.tenths ?? { first: Number.NaN, last: Number.NaN };
  return [
    {
      what: `at least ${whole(goals.rowsPerSecond)} rows/s unthrottled: ${whole(unthrottled.rowsPerSecond)}`,
      met: unthrottled.rowsPerSecond >= goals.rowsPerSecond,
    },
    {
      what: `the last tenth at ${goals.lastToFirst * 100} % of the first or more, unthrottled: ${Math.round((last / first) * 100)} %`,
      met: last >= first * goals.lastToFirst,
    },
    {
      what: `no query blocked for ${goals.blockedMs} ms, by default: ${ms(ours.app.slowestMs)} ms`,
      met: ours.app.slowestMs < goals.blockedMs,
    },
  ];
}

async function main(): Promise<void> {
  const options = program
    .description("Fills a new column of a big table while two versions of the app use it")
    .option("--rows <count>", "rows of the table", "1000000")
    .option("--limit <seconds>", "how long each contender may take", "120")
    .option("--json", "figures for machines")
    .parse()
    .opts<{ rows: string; limit: string; json?: true }>();
  const rows = wholeNumber("rows", options.rows, 10_000, 100_000_000);
  const limitMs = wholeNumber("limit", options.limit, 5, 3600) * 1000;
  const measured = await untilInterrupted((signal) => compare(rows, limitMs, runnerFor(options), signal));
  if (options.json === true) console.log(JSON.stringify(measured));
  else show(measured);
  const [ours, unthrottled] = measured.outcomes;
  process.exitCode =
    ours !== undefined && unthrottled !== undefined && verdicts(ours, unthrottled).every(({ met }) => met)
      ? 0
      : 1;
}

void main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
