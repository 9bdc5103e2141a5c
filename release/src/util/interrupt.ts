/** Work was told to stop, and did: nothing has failed. */
export class InterruptedError extends Error {}

/** Whether an error says so, or was caused by one that does. */
export function isInterruption(error: unknown): boolean {
  return error instanceof InterruptedError || (error instanceof Error && isInterruption(error.cause));
}

const stopSignals = ["SIGINT", "SIGTERM"] as const;

/**
 * Does work that can be told to stop. Pulumi's provider process handles no signal: the first
 * Ctrl-C lets a running step end, the second sends it SIGINT, and a second or so later SIGKILL.
 * Without a handler the step would be gone with the first signal, and could undo and say nothing.
 * A handler is there only as long as the work: before and after, a signal ends the process.
 */
export async function untilInterrupted<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = (name: NodeJS.Signals) => {
    controller.abort(new InterruptedError(`${name}: the update was interrupted`));
  };
  for (const name of stopSignals) process.on(name, stop);
  try {
    return await work(controller.signal);
  } finally {
    for (const name of stopSignals) process.off(name, stop);
  }
}
