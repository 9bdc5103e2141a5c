import { setTimeout as delay } from "node:timers/promises";
import { messageOf } from "../util/userError.js";
import { codeOf, deadlockDetected, LockTimeoutError } from "./session.js";

export interface RetrySettings {
  /** How often something that met a lock is tried. */
  tries: number;
  /** About this long between two tries, so that whoever queued up behind the first gets through. */
  retryDelayMs: number;
}

/** Tries again what a lock of somebody else has ended, and nothing else: that may be gone next time. */
export async function withRetries(
  attempt: () => Promise<void>,
  { tries, retryDelayMs }: RetrySettings,
  say: (line: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  for (let number = 1; ; number++) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (number >= tries || !isLockFailure(error)) throw error;
      // Jitter keeps two parties that met once from meeting again.
      const pauseMs = Math.round(retryDelayMs * (0.5 + Math.random()));
      say(`try ${number} of ${tries}: ${messageOf(error)}; next in ${pauseMs / 1000} s`);
      await delay(pauseMs, undefined, { signal });
    }
  }
}

function isLockFailure(error: unknown): boolean {
  return error instanceof LockTimeoutError || codeOf(error) === deadlockDetected;
}
