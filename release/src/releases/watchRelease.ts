import { setTimeout as delay } from "node:timers/promises";
import type { ClusterRef } from "../kubernetes/cluster.js";
import type { Release } from "../state/record.js";
import { lookEveryMs, type Watched, type WatchOptions } from "./watched.js";
import { Watching } from "./watching.js";

/**
 * Watches the color that users were moved to, and takes them back. One loop for whoever watches: the
 * update at first, the watcher in the cluster when the update is over, or dead. An API server that
 * does not answer ends nothing: nobody could move users meanwhile either.
 * @throws when it is interrupted
 */
export async function watchRelease(
  where: ClusterRef & { app: string },
  release: Release,
  options: WatchOptions,
): Promise<Watched> {
  const watching = new Watching(where, release, options);
  const { signal, lease, forMs, looked } = options;
  const until = performance.now() + forMs;
  await watching.takeOver();
  while (performance.now() < until) {
    signal.throwIfAborted();
    if (lease.lost.aborted) return { end: "lost" };
    const end = await watching.look();
    if (end !== undefined) return end;
    looked?.();
    await delay(Math.max(0, Math.min(lookEveryMs, until - performance.now())), undefined, { signal }).catch(
      () => undefined,
    );
  }
  return watching.over();
}
