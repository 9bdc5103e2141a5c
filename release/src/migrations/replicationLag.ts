import { setTimeout as delay } from "node:timers/promises";
import type { Session } from "./session.js";

const lookEveryMs = 500;
const sayEveryMs = 10_000;

/** How far the slowest replica is behind, in milliseconds. Needs pg_monitor to see it; 0 without. */
export async function replicationLagMs(session: Session): Promise<number> {
  const { rows } = await session.query<{ lag: number | null }>("SELECT (extract(epoch FROM max(replay_lag)) * 1000)::float8 AS lag FROM pg_stat_replication");
  return rows[0]?.lag ?? 0;
}

/** A pause of a backfill, to be called before each batch: looks now and then, and waits until the replicas have caught up. */
export function lagPause(session: Session, maxMs: number, say: (line: string) => void): () => Promise<void> {
  let lookedAt = -Infinity;
  let saidAt = -Infinity;
  return async () => {
    if (performance.now() - lookedAt < lookEveryMs) return;
    for (let lag = await replicationLagMs(session); lag > maxMs; lag = await replicationLagMs(session)) {
      if (performance.now() - saidAt > sayEveryMs) {
        say(`paused: a replica is ${Math.round(lag)} ms behind, more than ${maxMs} ms`);
        saidAt = performance.now();
      }
      await delay(lookEveryMs, undefined, { signal: session.signal });
    }
    lookedAt = performance.now();
  };
}
