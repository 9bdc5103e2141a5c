/**
 * The API server gave no answer: lost connections, time-outs. Whether it has done what it was asked is not
 * known then.
 */
export class UnansweredError extends Error {}

/**
 * HTTP status of an answer of the API server; undefined of any other error. Told by what it holds, because
 * the program waits, too, and does not load that client.
 */
export function statusOf(error: unknown): number | undefined {
  return error instanceof Error && "code" in error && "body" in error && typeof error.code === "number"
    ? error.code
    : undefined;
}

/** Whether to ask again can help: no answer, or one that says that it is the server's fault. */
export function mayPass(error: unknown): boolean {
  const status = statusOf(error);
  return error instanceof UnansweredError || (status !== undefined && passes(status));
}

/** The server has too much to do, or a fault. */
export function passes(status: number): boolean {
  return status === 429 || status >= 500;
}

/** Whether what was asked may have been done all the same. Of 429 it was not. */
export function mayBeDone(error: unknown): boolean {
  return mayPass(error) && statusOf(error) !== 429;
}
