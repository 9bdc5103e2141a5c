import { poll } from "../../util/poll.js";
import { thisDatabase, type Direction, type Side } from "./side.js";

/** A slot belongs to a whole server, so it is named after the database, too. */
export async function slotOf({ from, to }: Direction): Promise<string> {
  const { rows } = await from.session.query<{ slot: string }>(
    `SELECT format('bluegreen_%s_to_%s', ${thisDatabase}, $1::text) AS slot`,
    [to.color],
  );
  const [found] = rows;
  if (found === undefined) throw new Error("a session has no database");
  return found.slot;
}

export async function createSlot(direction: Direction): Promise<string> {
  const slot = await slotOf(direction);
  await direction.from.session.query("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [slot]);
  return slot;
}

/** How long a worker gets to end, in milliseconds. */
const endMs = 10_000;

/** A slot that nobody reads keeps the log of its server for ever. */
export async function dropSlot(direction: Direction): Promise<void> {
  const { session } = direction.from;
  const slot = await slotOf(direction);
  await poll(
    async () => {
      const { rows } = await session.query<{ reader: number | null }>(
        "SELECT active_pid AS reader FROM pg_replication_slots WHERE slot_name = $1",
        [slot],
      );
      const [found] = rows;
      if (found === undefined) return true;
      // It goes by itself soon, unless its server has vanished.
      if (found.reader !== null) await session.query("SELECT pg_terminate_backend($1)", [found.reader]);
      else await session.query("SELECT pg_drop_replication_slot($1)", [slot]);
      return undefined;
    },
    { timeoutMs: endMs, intervalMs: 20 },
  );
}

/** Lets the slot of a prepared subscription begin here: everything before is on both sides. */
export async function beginHere(direction: Direction): Promise<void> {
  // Only what is flushed can be skipped, and a commit of a row may not be yet.
  await mark(direction.from);
  await direction.from.session.query("SELECT pg_replication_slot_advance($1, pg_current_wal_flush_lsn())", [
    await slotOf(direction),
  ]);
}

/** The log that the publisher keeps for this direction, in words, for an error. */
export async function whatIsMissing(direction: Direction): Promise<string> {
  const { rows } = await direction.from.session.query<{ lag: string; since: string | null }>(
    `SELECT pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)) AS lag, to_jsonb(s) ->> 'inactive_since' AS since FROM pg_replication_slots s WHERE slot_name = $1`,
    [await slotOf(direction)],
  );
  const [found] = rows;
  if (found === undefined)
    return `all that ${direction.from.color} has and ${direction.to.color} has not: nothing was kept for it`;
  return `${found.lag} of the log of ${direction.from.color}${found.since === null ? "" : `, since ${found.since}`}`;
}

/**
 * Writes a mark into a server's log, and flushes it: what was committed before survives a crash.
 * @returns its place: who has come there has everything that was committed before
 */
export async function mark({ session }: Side): Promise<string> {
  const { rows } = await session.query<{ lsn: string }>(
    "SELECT pg_logical_emit_message(true, 'bluegreen', '')::text AS lsn",
  );
  const [found] = rows;
  if (found === undefined) throw new Error("PostgreSQL returned no place in its log");
  return found.lsn;
}
