import { untilInterrupted } from "../util/interrupt.js";
import type { Say } from "../util/step.js";
import { formatApplied, formatProgress, worthSaying } from "./progress.js";
import { runMigrations, type MigrationResult, type MigrationRun } from "./runner.js";

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
