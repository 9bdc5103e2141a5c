import { setTimeout as delay } from "node:timers/promises";
import type { Session } from "./session.js";

const pollIntervalMs = 500;
const sayEveryMs = 10_000;

/**
 * Tells how far the slowest replica is behind, in milliseconds. PostgreSQL's own replay_lag says so
 * only once something was replayed, nothing while a replica stands still: so the age of the oldest
 * position that it has not reached counts, too. Needs pg_monitor to see anything; 0 without.
 */
function lagMeter(session: Session): () => Promise<number> {
  /** Positions in the log, and when the primary was there. */
  let written: { position: number; at: number }[] = [];
  return async () => {
    const { rows } = await session.query<{
      reported: number | null;
      replayed: number | null;
      position: number;
    }>(
      `SELECT (extract(epoch FROM max(replay_lag)) * 1000)::float8 AS reported, min(replay_lsn - '0/0')::float8 AS replayed, (pg_current_wal_lsn() - '0/0')::float8 AS position
         FROM pg_stat_replication WHERE state = 'streaming'`,
    );
    const [found] = rows;
    const replayed = found?.replayed ?? Infinity;
    const now = performance.now();
    if (found !== undefined) written.push({ position: found.position, at: now });
    written = written.filter(({ position }) => position > replayed);
    const [oldest] = written;
    // What was reported last stays for a while after the replica has caught up.
    return oldest === undefined ? 0 : Math.max(found?.reported ?? 0, now - oldest.at);
  };
}

/**
 * A pause of a backfill, to be called before each batch: checks now and then, and waits until the replicas
 * have caught up.
 */
export function lagPause(session: Session, maxMs: number, say: (line: string) => void): () => Promise<void> {
  const measure = lagMeter(session);
  let checkedAt = -Infinity;
  let saidAt = -Infinity;
  return async () => {
    if (performance.now() - checkedAt < pollIntervalMs) return;
    for (let lag = await measure(); lag > maxMs; lag = await measure()) {
      if (performance.now() - saidAt > sayEveryMs) {
        say(`paused: a replica is ${Math.round(lag)} ms behind, more than ${maxMs} ms`);
        saidAt = performance.now();
      }
      await delay(pollIntervalMs, undefined, { signal: session.signal });
    }
    checkedAt = performance.now();
  };
}
