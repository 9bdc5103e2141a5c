import { setTimeout as delay } from "node:timers/promises";

export interface PollOptions {
  /** Give up after this many milliseconds. */
  timeoutMs: number;
  /** Pause between two looks, in milliseconds. @default 250 */
  intervalMs?: number;
}

/** Thrown when the condition did not come true in time. */
export class DeadlineError extends Error {}

/**
 * Looks until `look` returns something, and returns that.
 * Always looks at least once; whatever `look` throws ends the wait.
 * @throws DeadlineError after `timeoutMs`
 */
export async function poll<T>(look: () => Promise<T | undefined>, { timeoutMs, intervalMs = 250 }: PollOptions): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    const left = deadline - Date.now();
    if (left <= 0) throw new DeadlineError(`not within ${timeoutMs / 1000} s`);
    await delay(Math.min(intervalMs, left));
  }
}
