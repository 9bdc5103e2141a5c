import { takeLock } from "../postgres/advisoryLock.js";
import { useCatalogNames } from "../postgres/client.js";
import { withRetries } from "../postgres/retry.js";
import { Session } from "../postgres/session.js";
import { untilInterrupted } from "../util/interrupt.js";
import type { Say } from "../util/step.js";
import { applyStatements, applyWhole } from "./applyStatements.js";
import { runBackfill } from "./backfill.js";
import { readMigration, type Migration } from "./files.js";
import { decide, refusalsIn } from "./plan.js";
import { adoptChecksum, prepareRecords, readRecords } from "./records.js";
import {
  defaultRunnerSettings,
  formatApplied,
  formatProgress,
  worthSaying,
  type AppliedMigration,
  type BackfillProgress,
  type RunnerSettings,
  type Work,
} from "./work.js";

export interface MigrationRun extends Partial<RunnerSettings> {
  /** Where the SQL files are. */
  folder: string;
  migrations: Migration[];
  /** Id of the newest contract migration whose time has come. @default none has */
  contractUpTo?: string | undefined;
  /** How long to wait for another runner, in milliseconds. @default 60000 */
  lockTimeoutMs?: number;
  /** Ends the run: the statement that is running is canceled in PostgreSQL, too. */
  signal?: AbortSignal;
  /** After every batch of a backfill. */
  onProgress?: (progress: BackfillProgress) => void;
  /** After every migration. */
  onApplied?: (applied: AppliedMigration) => void;
  /** A line for people: a try that met a lock, a leftover that was dropped, a pause. */
  onNotice?: (line: string) => void;
}

export interface MigrationResult {
  /** Ids applied by this run, in order. */
  applied: string[];
  /** Ids that are left for later, because their time has not come. */
  waiting: string[];
  /** The newest id in schema_migrations afterwards; empty when there is none. */
  schemaVersion: string;
}

/**
 * Applies what is due and not in schema_migrations yet, in the order of the ids. Safe to kill at
 * any point, to run again from there, and to run twice at once.
 * @throws UserError naming the migration that failed; those before it stay applied
 */
export async function runMigrations(connectionString: string, run: MigrationRun): Promise<MigrationResult> {
  const { folder, migrations, onProgress = ignore, onApplied = ignore, onNotice = ignore, signal } = run;
  const settings: RunnerSettings = { ...defaultRunnerSettings, ...run };
  const session = await Session.open(connectionString, { signal });
  try {
    await takeLock(session, run.lockTimeoutMs ?? 60_000);
    await session.reset(settings.tableLockTimeoutMs);
    const own = await session.asOwner();
    let schema = "";
    const prepare = async () => {
      schema = await prepareRecords(own);
    };
    await withRetries(prepare, settings, onNotice, signal);

    const plan = decide(migrations, await readRecords(session, schema), run.contractUpTo);
    const refusals = refusalsIn(plan);
    if (refusals.length > 0) throw new Error(refusals.map(({ message }) => message).join("\n"));
    for (const migration of plan.filter(({ state }) => state === "applied"))
      await adoptChecksum(session, schema, migration);

    const due = plan.filter(({ state }) => state === "due");
    // All files first: one that changed since they were listed stops the run before anything is applied.
    for (const file of due.map((migration) => readMigration(folder, migration))) {
      const name = `${file.id}_${file.name}`;
      await session.reset(settings.tableLockTimeoutMs);
      await session.useOwnNames();
      const startedAt = performance.now();
      const rows = await apply({
        session,
        schema,
        file,
        settings,
        onProgress,
        say: (line) => {
          onNotice(`${name}: ${line}`);
        },
      });
      onApplied({ migration: name, tookMs: performance.now() - startedAt, rows });
    }
    await useCatalogNames(session, "session");
    const records = await readRecords(session, schema);
    return {
      applied: due.map(({ id }) => id),
      waiting: plan.flatMap(({ state, id }) => (state === "waiting" ? [id] : [])),
      schemaVersion: records.at(-1)?.id ?? "",
    };
  } finally {
    await session.close();
  }
}

/** @returns rows in the batches of a backfill */
async function apply(work: Work): Promise<number | undefined> {
  const { phase, transaction } = work.file.header;
  if (phase === "backfill") return runBackfill(work);
  await (transaction ? applyWhole(work) : applyStatements(work));
  return undefined;
}

function ignore(): void {
  // Nobody asked.
}

/**
 * Runs migrations as a part of an update: what they do is shown in its output, and an interruption
 * cancels the statement that is running. Where no signal gets through, kill -9, PostgreSQL itself
 * ends the statement: see Session.reset.
 */
export function runInUpdate(
  url: string,
  run: Pick<MigrationRun, "folder" | "migrations" | "contractUpTo">,
  say: Say,
): Promise<MigrationResult> {
  const isWorthSaying = worthSaying();
  return untilInterrupted((signal) =>
    runMigrations(url, {
      ...run,
      signal,
      onNotice: say,
      onApplied: (applied) => {
        say(formatApplied(applied));
      },
      onProgress: (progress) => {
        if (isWorthSaying(progress)) say(formatProgress(progress));
      },
    }),
  );
}
