import { DeadlineError, poll } from "@bluegreen/release/util/poll";

/** A stage's parts come up within fractions of a second: checking is cheap, waiting is not. */
const intervalMs = 50;

/**
 * Asks until the answer is something other than undefined, and returns it.
 * @param failure what to throw when the time is over; made only then, because it reads logs
 */
export async function waitFor<T>(
  ask: () => Promise<T | undefined>,
  timeoutMs: number,
  failure: () => Promise<Error>,
): Promise<T> {
  try {
    return await poll(ask, { timeoutMs, intervalMs });
  } catch (error) {
    if (error instanceof DeadlineError) throw await failure();
    throw error;
  }
}
