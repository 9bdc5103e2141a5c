import { untilInterrupted } from "../interrupt.js";
import type { Say } from "../step.js";
import { formatApplied, formatProgress, worthSaying } from "./progress.js";
import { runMigrations, type MigrationResult, type MigrationRun } from "./runner.js";

/**
 * Applies migrations in front of somebody who watches the update and may interrupt it. Where no signal
 * gets through, as of kill -9, PostgreSQL itself ends the statement within a second or two: see Session.reset.
 */
export function runInUpdate(connectionString: string, run: Omit<MigrationRun, "signal" | "onProgress" | "onApplied" | "onNotice">, say: Say): Promise<MigrationResult> {
  const isWorthSaying = worthSaying();
  return untilInterrupted((signal) =>
    runMigrations(connectionString, {
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
