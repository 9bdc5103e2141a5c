import { keyOf, type Times } from "./times";
import type { Batch } from "./suites";

/** Of a batch that never ran. */
const unknownSeconds = 60;

/**
 * Those that take longest first, so that none of them is left at the end while the other places are empty. Files of a
 * serial suite wait for each other, so that together they are one of its length: one place has them from the start.
 */
export function longestFirst(batches: readonly Batch[], times: Times): Batch[] {
  const seconds = (batch: Batch) => times[keyOf(batch)]?.seconds ?? unknownSeconds;
  const chain = (batch: Batch) =>
    batches
      .filter((each) => each === batch || (batch.suite.serial === true && each.suite === batch.suite))
      .reduce((sum, each) => sum + seconds(each), 0);
  const keyed = batches.map((batch) => ({ batch, chain: chain(batch), seconds: seconds(batch) }));
  return keyed.sort((a, b) => b.chain - a.chain || b.seconds - a.seconds).map(({ batch }) => batch);
}

/**
 * Runs what waits, in its order, as many at a time as there are places; of a serial suite one, and beside one
 * that is alone none. Nothing begins any more once `signal` says so.
 */
export async function runAll(
  batches: readonly Batch[],
  { places, signal }: { places: number; signal: AbortSignal },
  run: (batch: Batch) => Promise<void>,
): Promise<void> {
  const waiting = [...batches];
  signal.addEventListener("abort", () => waiting.splice(0), { once: true });
  if (signal.aborted) return;
  const running = new Map<Batch, Promise<void>>();
  const isFree = ({ suite }: Batch) => {
    const beside = [...running.keys()].map((each) => each.suite);
    if (suite.alone === true || beside.some(({ alone }) => alone === true)) return beside.length === 0;
    return suite.serial !== true || !beside.includes(suite);
  };
  while (waiting.length > 0 || running.size > 0) {
    const next = running.size < places ? waiting.find(isFree) : undefined;
    if (next === undefined) {
      await Promise.race(running.values());
      continue;
    }
    waiting.splice(waiting.indexOf(next), 1);
    running.set(
      next,
      run(next).finally(() => running.delete(next)),
    );
  }
}
