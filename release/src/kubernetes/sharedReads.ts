import { AsyncLocalStorage } from "node:async_hooks";
import type { ResponseContext } from "./client.js";

/** For how long an answer is given again, in milliseconds: whoever waits for a change is to see it. */
const freshMs = 300;

/** Answers to what was read, by what was asked. */
export type Reads = Map<string, { answer: Promise<ResponseContext>; until: number }>;

const current = new AsyncLocalStorage<Reads>();

/**
 * Two reads of the same object in `work` are one. For what decides, and not for what acts: whatever is read
 * under a lock is read anew.
 * @param reads what was read right before, to go on with
 */
export function sharingReads<T>(reads: Reads, work: () => Promise<T>): Promise<T> {
  return current.run(reads, work);
}

/** @param question what is read, where, and by whom */
export function readOnce(question: string, ask: () => Promise<ResponseContext>): Promise<ResponseContext> {
  const reads = current.getStore();
  if (reads === undefined) return ask();
  const known = reads.get(question);
  if (known !== undefined && known.until > performance.now()) return known.answer;
  const asked = { answer: ask(), until: Number.POSITIVE_INFINITY };
  reads.set(question, asked);
  asked.answer.then(
    ({ httpStatusCode }) => {
      asked.until = httpStatusCode < 500 ? performance.now() + freshMs : 0;
    },
    () => reads.delete(question),
  );
  return asked.answer;
}

/** Something was written: nothing is as it was read. */
export function forgetReads(): void {
  current.getStore()?.clear();
}
