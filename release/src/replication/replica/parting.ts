import { timelineOf } from "./standby.js";
import type { Server, Servers } from "./server.js";
import { escapeIdentifier, escapeLiteral } from "pg";

/** How two primaries that were one came apart. */
export interface Parting {
  /**
   * left: a switch went from the idle server to the live one. promoted: the idle one was promoted, and users
   * stayed on the other or came back. split: both continued without a promotion that one of them knows of.
   */
  kind: "left" | "promoted" | "split";
  /** For people: what a switch to the idle server would lose. */
  loss: string;
}

/** Reads the timeline histories of two servers that both take writes. */
export async function findParting({ live, idle }: Servers): Promise<Parting> {
  const timelines = { live: await timelineOf(live), idle: await timelineOf(idle) };
  const left = await departure(live, timelines.live, timelines.idle);
  if (left !== undefined) {
    return {
      kind: "left",
      loss: `it was left behind by the switch to ${live.color} at ${left.at.toISOString()} (WAL position ${left.position}); since then ${live.color} has written ${left.bytes} bytes of WAL, which ${idle.color} does not have`,
    };
  }
  const promoted = await departure(idle, timelines.idle, timelines.live);
  if (promoted !== undefined) {
    return {
      kind: "promoted",
      loss: `it was promoted at ${promoted.at.toISOString()} (WAL position ${promoted.position}), and traffic has not moved there or was rolled back; traffic is on ${live.color}, and what is written there ${idle.color} does not have`,
    };
  }
  return {
    kind: "split",
    loss: `no promotion leads from one to the other (timelines ${timelines.live} and ${timelines.idle}), so what it lacks is unknown`,
  };
}

/**
 * Where, and when, a server left a timeline of another one; undefined when it was never on it, or still is.
 */
async function departure(
  server: Server,
  timeline: number,
  from: number,
): Promise<{ position: string; at: Date; bytes: string } | undefined> {
  if (timeline === 1) return undefined; // has no history
  const { history } = await server.row<{ history: string }>(
    "SELECT coalesce(pg_read_file($1, 0, 1000000, true), '') AS history",
    [historyFile(timeline)],
  );
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

const setting = "bluegreen.handover";

/** The old primary refused writes before its writers were let go: nothing was written there afterwards. */
export const completed = "completed";

/**
 * Writes down, on the new primary, how far the old one was when it was left: its last transaction, or
 * `completed`. A setting of the database that nobody else reads: no table is needed for it.
 */
export async function noteHandover(primary: Server, note: string): Promise<void> {
  const { name } = await primary.row<{ name: string }>("SELECT current_database() AS name");
  await primary.query(`ALTER DATABASE ${escapeIdentifier(name)} SET ${setting} = ${escapeLiteral(note)}`);
}

/**
 * How many transactions the old primary has begun after it was left: none, unless the release was killed
 * after traffic had moved and before the old primary refused writes. Then who had waited there wrote to it.
 */
export async function lateTransactions(primary: Server, old: Server): Promise<number> {
  const { rows } = await primary.query<{ note: string }>(
    `SELECT split_part(entry, '=', 2) AS note FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase, unnest(s.setconfig) entry
      WHERE d.datname = current_database() AND s.setrole = 0 AND entry LIKE '${setting}=%'`,
  );
  const last = rows[0]?.note ?? completed;
  if (last === completed) return 0;
  const { late } = await old.row<{ late: string }>(
    "SELECT (pg_snapshot_xmax(pg_current_snapshot())::text::numeric - $1::numeric - 1)::text AS late",
    [last],
  );
  return Number(late);
}

/**
 * How many transactions others have begun on a server since it was promoted for a switch: none, unless
 * traffic was there, and somebody took it back past a release.
 */
export async function strangeTransactions(promoted: Server): Promise<number> {
  // The note itself was one.
  return Math.max(0, (await lateTransactions(promoted, promoted)) - 1);
}
