import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { mayBeDone, mayPass, statusOf } from "../util/mayPass.js";
import { untilAnswered, type PollOptions } from "../util/poll.js";
import { messageOf } from "../util/userError.js";
import { PatchStrategy, setHeaderOptions } from "./client.js";
import { patience } from "./cluster.js";
import { valueAt, type JsonPatch } from "./jsonPointer.js";

/** Sends a body as a JSON patch. */
export const asJsonPatch = setHeaderOptions("Content-Type", PatchStrategy.JsonPatch);

/** It cannot be said whether a patch was applied: it may be, or may still come. Nothing may be undone. */
export class UnknownOutcomeError extends Error {}

/** Whose object it is that a patch changes. */
export interface Patched<T> {
  read: () => Promise<T>;
  send: (body: JsonPatch) => Promise<unknown>;
  /** Whether what is there comes from this very patch. @default what it writes is there */
  isDone?: (found: T) => boolean;
}

const pauseMs = { first: 250, longest: 2000 };

/**
 * Applies a patch that holds only while its tests do. An error that leaves open what has become of it
 * is checked: what stands in the object decides, and never a status code alone.
 * @returns false when a tested value is another one: somebody else was quicker
 * @throws UnknownOutcomeError when that cannot be found out; otherwise it was not applied, and the API
 *   server's own sentence says why
 */
export async function applyPatch<T>(
  { read, send, isDone }: Patched<T>,
  body: JsonPatch,
  forMs = patience.patchMs,
): Promise<boolean> {
  const until = performance.now() + forMs;
  let isOpen = false;
  const fail = (error: unknown) =>
    isOpen
      ? new UnknownOutcomeError(`whether it was done is not known: ${messageOf(error)}`, { cause: error })
      : error;
  for (let pause = pauseMs.first; ; pause = Math.min(2 * pause, pauseMs.longest)) {
    try {
      await send(body);
      return true;
    } catch (error) {
      if (!isUndecided(error)) throw fail(error);
      isOpen ||= mayBeDone(error);
      const found = await untilAnswered(read, { awayMs: Math.max(0, until - performance.now()) }).catch(
        (unread: unknown) => {
          throw fail(unread);
        },
      );
      if (isDone?.(found) ?? isWritten(found, body)) return true;
      if (!isAsTested(found, body)) return false;
      // As it was tested, and refused all the same: by a policy, or by the API server's own rules.
      if (!(mayPass(error) || statusOf(error) === 409) || performance.now() + pause >= until)
        throw fail(error);
    }
    await delay(pause);
  }
}

/** Conflicts and tests that do not hold are answers, of which the object says more. */
function isUndecided(error: unknown): boolean {
  return mayPass(error) || [409, 422].includes(statusOf(error) ?? 0);
}

/** Whether all that a patch writes is there. What it makes room by says nothing. */
function isWritten(found: unknown, body: JsonPatch): boolean {
  return body.every((part) => {
    if (part.op === "test") return true;
    if (part.op === "remove") return valueAt(found, part.path) === undefined;
    return (
      body.some(({ op, path }) => op !== "test" && path.startsWith(`${part.path}/`)) ||
      isDeepStrictEqual(valueAt(found, part.path), part.value)
    );
  });
}

/** A test for null holds where nothing is, as the API server has it. */
export function isAsTested(found: unknown, body: JsonPatch): boolean {
  return body.every(
    (part) => part.op !== "test" || isDeepStrictEqual(valueAt(found, part.path) ?? null, part.value ?? null),
  );
}

/** Sends a body as a merge patch. */
export const asMergePatch = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);

/** Sends a merge patch until it is answered: it may be applied twice, and conflicts with others pass. */
export function mergePatched<T>(
  send: () => Promise<T>,
  options: Pick<PollOptions, "awayMs"> = {},
): Promise<T> {
  return untilAnswered(send, { ...options, passes: (error) => mayPass(error) || statusOf(error) === 409 });
}
