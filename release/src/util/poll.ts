import { setTimeout as delay } from "node:timers/promises";
import { mayPass, UnansweredError } from "./mayPass.js";
import { messageOf } from "./userError.js";

export interface PollOptions {
  /** Give up after this many milliseconds. */
  timeoutMs: number;
  /** Pause between two checks, in milliseconds. @default 250 */
  intervalMs?: number;
  /**
   * How long an API server may be away before that ends the wait, in milliseconds. Longer than it takes to
   * restart one. @default 30000
   */
  awayMs?: number;
  /** Which errors may pass. @default no answer, or one that says that it is the server's fault */
  passes?: (error: unknown) => boolean;
}

/** Thrown when the condition did not come true in time. */
export class DeadlineError extends Error {}

/** Of one who has problems already. */
const awayIntervalMs = 1000;

/**
 * Checks until `check` returns something, and returns that. Always checks at least once. An error that
 * may pass ends the wait only when it lasts, also beyond `timeoutMs`: what is waited for may be there.
 * Whatever else `check` throws ends it at once.
 * @throws DeadlineError after `timeoutMs`
 * @throws UnansweredError, with the true cause, when the API server is away for too long
 */
export async function poll<T>(
  check: () => Promise<T | undefined>,
  { timeoutMs, intervalMs = 250, awayMs = 30_000, passes = mayPass }: PollOptions,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let awaySince: number | undefined;
  for (;;) {
    const began = performance.now();
    try {
      const found = await check();
      if (found !== undefined) return found;
      awaySince = undefined;
    } catch (error) {
      if (!passes(error)) throw error;
      awaySince ??= began;
      const forMs = performance.now() - awaySince;
      if (forMs >= awayMs)
        throw new UnansweredError(`for ${Math.round(forMs / 1000)} s: ${messageOf(error)}`, { cause: error });
    }
    const left = deadline - performance.now();
    if (awaySince !== undefined)
      await delay(Math.min(awayIntervalMs, Math.max(0, awaySince + awayMs - performance.now())));
    else if (left <= 0) throw new DeadlineError(`not within ${timeoutMs / 1000} s`);
    else await delay(Math.min(intervalMs, left));
  }
}

/**
 * Does what may be done twice, until the API server has answered: a write whose answer was lost is written
 * again.
 * @throws what it answers; and what kept it from answering, when that lasts
 */
export async function untilAnswered<T>(
  work: () => Promise<T>,
  options: Pick<PollOptions, "awayMs" | "passes"> = {},
): Promise<T> {
  const { answer } = await poll(async () => ({ answer: await work() }), { ...options, timeoutMs: 0 });
  return answer;
}
