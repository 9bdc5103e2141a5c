import { escapeIdentifier, escapeLiteral } from "pg";
import { DeadlineError, poll } from "../../util/poll.js";
import { UserError } from "../../util/userError.js";
import type { Server, Servers } from "./server.js";

/** What keeps a server from being a standby of the live one. */
export interface Fault {
  /**
   * stranger: a copy of something else. apart: a primary itself. detached: a standby that receives nothing.
   * behind: one that follows too slowly.
   */
  kind: "stranger" | "apart" | "detached" | "behind";
  reason: string;
}

/** @throws UserError when the live color's server is none that users can write to */
export async function requirePrimary(live: Server): Promise<void> {
  const { recovering } = await live.row<{ recovering: boolean }>("SELECT pg_is_in_recovery() AS recovering");
  if (!recovering && !live.identity.readOnly) return;
  throw new UserError({
    code: "BG-LIVE-DATABASE-READ-ONLY",
    what: `The databases were not touched: the server of ${live.color}, the live color, ${recovering ? "is a standby" : "refuses writes (default_transaction_read_only)"}`,
    rule: "users of the live color write to its server; the active Service and the databases do not go together",
    next: `check which server has the newest data: if that of ${live.color} has, make it take writes (${recovering ? "SELECT pg_promote()" : "ALTER SYSTEM RESET default_transaction_read_only; SELECT pg_reload_conf()"}); otherwise bring traffic back to the other color`,
  });
}

/** @throws UserError when every commit on the idle server would wait for a standby that it does not have yet */
export async function requireAsynchronous(idle: Server): Promise<void> {
  const { standbys } = await idle.row<{ standbys: string }>(
    "SELECT current_setting('synchronous_standby_names') AS standbys",
  );
  if (standbys === "") return;
  throw new UserError({
    code: "BG-DATABASE-SERVER-UNSUITABLE",
    what: `The databases were not touched: the server of ${idle.color} has synchronous_standby_names = ${standbys}`,
    rule: "as soon as it is the primary, every commit would wait for a standby, which there is only when the other server was rebuilt",
    next: `on the server of ${idle.color}: ALTER SYSTEM RESET synchronous_standby_names; SELECT pg_reload_conf(); set it again after the switch`,
  });
}

/** Reads once. */
async function readFault({ live, idle }: Servers): Promise<Fault | undefined> {
  if (live.identity.systemIdentifier !== idle.identity.systemIdentifier) {
    return {
      kind: "stranger",
      reason: `it is no copy of it: its system identifier is ${idle.identity.systemIdentifier}, that of ${live.color} is ${live.identity.systemIdentifier}`,
    };
  }
  const at = await idle.row<{ recovering: boolean; receiver: string | null; timeline: number | null }>(
    `SELECT pg_is_in_recovery() AS recovering, r.status AS receiver, r.received_tli AS timeline FROM (VALUES (1)) one LEFT JOIN pg_stat_wal_receiver r ON true`,
  );
  if (!at.recovering) return { kind: "apart", reason: "it is no standby any more" };
  if (at.receiver !== "streaming")
    return {
      kind: "detached",
      reason: `it receives nothing (pg_stat_wal_receiver: ${at.receiver ?? "none"})`,
    };
  const timeline = await timelineOf(live);
  const { senders } = await live.row<{ senders: number }>(
    "SELECT count(*)::int AS senders FROM pg_stat_replication WHERE state = 'streaming'",
  );
  if (at.timeline !== timeline || senders === 0)
    return {
      kind: "detached",
      reason: `it follows another server (timeline ${String(at.timeline)}; ${live.color} is on ${timeline} and streams to ${senders})`,
    };
  return undefined;
}

/**
 * Waits until a server follows the live one: it streams, and replays what is committed now.
 * What does not go away by itself is returned at once.
 * @returns undefined when it does
 */
export async function findFault(servers: Servers, budgetMs: number): Promise<Fault | undefined> {
  const { fault } = await poll(
    async () => {
      const found = await readFault(servers);
      return found?.kind === "detached" ? undefined : { fault: found };
    },
    { timeoutMs: budgetMs },
  ).catch(async (error: unknown) => {
    if (!(error instanceof DeadlineError)) throw error;
    return { fault: await readFault(servers) };
  });
  if (fault !== undefined) return fault;
  const reason = await waitForReplay(servers.idle, await writeMark(servers.live), budgetMs);
  return reason === undefined ? undefined : { kind: "behind", reason };
}

/** The timeline that a primary writes. A promotion begins a new one. */
async function timelineOf(primary: Server): Promise<number> {
  // Not pg_control_checkpoint(): that is the timeline of the last checkpoint, perhaps before the promotion.
  const { timeline } = await primary.row<{ timeline: number }>(
    "SELECT ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int AS timeline",
  );
  return timeline;
}

const pollIntervalMs = 20;

/** A place in the WAL. */
interface Mark {
  position: string;
  /** The transaction that wrote it. */
  transaction: string;
}

/**
 * Writes a mark into the WAL of a primary and returns where it is: everything that was committed
 * before stands before it. pg_current_wal_lsn() would not do: what was committed asynchronously may
 * be acknowledged and not written out yet. The mark is committed synchronously, so everything up to it is
 * written out and on its way to the standby.
 */
export async function writeMark(primary: Server): Promise<Mark> {
  return primary.row<Mark>(
    "SELECT pg_logical_emit_message(true, 'bluegreen', 'mark')::text AS position, pg_current_xact_id()::text AS transaction",
  );
}

/**
 * Waits until a standby has replayed everything up to a position.
 * @param confirm called at each poll; what it throws ends the wait
 * @returns why it has not in time, undefined when it has
 */
export async function waitForReplay(
  standby: Server,
  { position }: Mark,
  budgetMs: number,
  confirm: () => Promise<void> = () => Promise.resolve(),
): Promise<string | undefined> {
  try {
    await poll(
      async () => {
        await confirm();
        const { replayed } = await standby.row<{ replayed: boolean }>(
          "SELECT coalesce(pg_last_wal_replay_lsn() >= $1::pg_lsn, false) AS replayed",
          [position],
        );
        return replayed ? true : undefined;
      },
      { timeoutMs: budgetMs, intervalMs: pollIntervalMs },
    );
    return undefined;
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    const { bytes, paused } = await standby.row<{ bytes: string; paused: boolean }>(
      "SELECT pg_wal_lsn_diff($1::pg_lsn, pg_last_wal_replay_lsn())::text AS bytes, CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() ELSE false END AS paused",
      [position],
    );
    return `it is ${bytes} bytes of WAL behind, waited ${budgetMs / 1000} s${paused ? "; its replay is paused: SELECT pg_wal_replay_resume()" : ""}`;
  }
}

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
