import { timelineOf } from "./standby.js";
import type { Server, Servers } from "./server.js";

/** How two primaries that were one came apart. */
export interface Parting {
  /** left: a switch went from the idle server to the live one. promoted: the idle one was promoted, and users stayed on the other or came back. split: both went on without a promotion that one of them knows of. */
  kind: "left" | "promoted" | "split";
  /** For people: what a switch to the idle server would lose. */
  loss: string;
}

/** Looks into the timeline histories of two servers that both take writes. */
export async function findParting({ live, idle }: Servers): Promise<Parting> {
  const timelines = { live: await timelineOf(live), idle: await timelineOf(idle) };
  const left = await departure(live, timelines.live, timelines.idle);
  if (left !== undefined) {
    return { kind: "left", loss: `it was left behind by the switch to ${live.color} at ${left.at.toISOString()} (WAL position ${left.position}); since then ${live.color} has written ${left.bytes} bytes of WAL, which ${idle.color} does not have` };
  }
  const promoted = await departure(idle, timelines.idle, timelines.live);
  if (promoted !== undefined) {
    return {
      kind: "promoted",
      loss: `it was promoted at ${promoted.at.toISOString()} (WAL position ${promoted.position}), and traffic has not moved there or was taken back; users are on ${live.color}, and what they write there ${idle.color} does not have`,
    };
  }
  return { kind: "split", loss: `no promotion leads from one to the other (timelines ${timelines.live} and ${timelines.idle}), so what it lacks is unknown` };
}

/** Where, and when, a server left a timeline of another one; undefined when it was never on it, or still is. */
async function departure(server: Server, timeline: number, from: number): Promise<{ position: string; at: Date; bytes: string } | undefined> {
  if (timeline === 1) return undefined; // has no history
  const { history } = await server.row<{ history: string }>("SELECT coalesce(pg_read_file($1, 0, 1000000, true), '') AS history", [historyFile(timeline)]);
  // Lines of: timeline, where it was left, why.
  const ancestors = history.split("\n").flatMap((line) => {
    const [, id, position] = /^\s*(\d+)\s+([0-9A-F]+\/[0-9A-F]+)/.exec(line) ?? [];
    return id === undefined || position === undefined ? [] : [{ id: Number(id), position }];
  });
  const index = ancestors.findIndex(({ id }) => id === from);
  const left = ancestors[index];
  if (left === undefined) return undefined;
  const next = ancestors[index + 1]?.id ?? timeline;
  const { at, bytes } = await server.row<{ at: Date; bytes: string }>(
    "SELECT coalesce((pg_stat_file($1, true)).modification, pg_postmaster_start_time()) AS at, pg_wal_lsn_diff(pg_current_wal_lsn(), $2::pg_lsn)::text AS bytes",
    [historyFile(next), left.position],
  );
  return { position: left.position, at, bytes };
}

function historyFile(timeline: number): string {
  return `pg_wal/${timeline.toString(16).toUpperCase().padStart(8, "0")}.history`;
}
