import { ApiException } from "../kubernetes/client.js";
import { DeadlineError } from "../util/poll.js";
import { messageOf } from "../util/userError.js";

/** How long an alert waits for one answer of the cluster, in milliseconds. */
export const clusterPatienceMs = 5000;

/** Waits for work that may never end. @throws DeadlineError after `ms`; the work itself continues */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new DeadlineError(`no answer within ${ms / 1000} s`));
    }, ms);
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/** Why the cluster gave no answer, in a few words: an API server's own would fill the screen. */
export function whyUnanswered(error: unknown): string {
  return error instanceof ApiException ? `HTTP ${error.code}` : (messageOf(error).split("\n")[0] ?? "");
}
