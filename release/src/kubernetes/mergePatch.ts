import { mayPass, statusOf } from "../util/mayPass.js";
import { untilAnswered, type PollOptions } from "../util/poll.js";
import { PatchStrategy, setHeaderOptions } from "./client.js";

/** Sends a body as a merge patch. */
export const asMergePatch = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);

/** Sends a merge patch until it is answered: it may be applied twice, and conflicts with others pass. */
export function mergePatched<T>(
  send: () => Promise<T>,
  options: Pick<PollOptions, "awayMs"> = {},
): Promise<T> {
  return untilAnswered(send, { ...options, passes: (error) => mayPass(error) || statusOf(error) === 409 });
}
