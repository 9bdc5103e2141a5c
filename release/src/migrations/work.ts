import { messageOf, UserError } from "../util/userError.js";
import type { BackfillProgress } from "./progress.js";
import type { MigrationFile } from "./files.js";
import { codeOf, deadlockDetected, type Session } from "../postgres/session.js";
import type { RetrySettings } from "../postgres/retry.js";
import type { Statement } from "../sql/statements.js";

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
