import type { Work } from "./work.js";

/**
 * Drops what a failed statement has left INVALID. A unique index in that state refuses the writes of live
 * users as a valid one does: it must not stay until somebody tries again.
 * @param find the names of such indexes, quoted
 */
export async function dropLeftovers({ session, settings, say }: Work, find: () => Promise<string[]>): Promise<void> {
  try {
    await session.setLockTimeout(settings.tableLockTimeoutMs);
    for (const index of await find()) await session.query(`DROP INDEX CONCURRENTLY IF EXISTS ${index}`);
  } catch {
    say("what is left of the index could not be dropped now; the next run does it");
  } finally {
    await session.setLockTimeout(settings.concurrentLockTimeoutMs).catch(() => undefined);
  }
}
