import { setTimeout as delay } from "node:timers/promises";

const pollMs = 50;

/**
 * Asks until the answer is something other than undefined, and returns it.
 * @param failure what to throw when the time is over
 */
export async function waitFor<T>(ask: () => Promise<T | undefined>, timeoutMs: number, failure: () => Promise<Error>): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw await failure();
    await delay(pollMs);
  }
}
