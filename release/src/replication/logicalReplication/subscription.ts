import { escapeLiteral, escapeIdentifier } from "pg";
import { asAdministrator, Tried } from "../../postgres/administrator.js";
import type { Queryable } from "../../postgres/client.js";
import { poll } from "../../util/poll.js";
import { messageOf } from "../../util/userError.js";
import { thisDatabase, type Direction, type Side } from "./side.js";
import { publicationOf, replicatedTables } from "./tables.js";

/**
 * `prepared` has a slot that keeps the changes, and applies none yet; `active` applies them.
 * They differ by name, so that an active one that somebody disabled is not taken for a prepared one.
 */
type SubscriptionState = "none" | "prepared" | "active";

const nameOf = ({ from }: Direction, state: "prepared" | "active") =>
  `bluegreen_${state === "active" ? "from" : "prepared_from"}_${from.color}`;

/** What a subscription that applies is called, for who looks at it. */
export function subscriptionName(direction: Direction): string {
  return nameOf(direction, "active");
}

export async function subscriptionState(direction: Direction): Promise<SubscriptionState> {
  const { rows } = await direction.to.session.query<{ name: string }>(
    `SELECT subname AS name FROM pg_subscription WHERE subdbid = ${thisDatabase}`,
  );
  return (
    (["active", "prepared"] as const).find((state) =>
      rows.some(({ name }) => name === nameOf(direction, state)),
    ) ?? "none"
  );
}

/**
 * Makes the slot and the subscription. Safe to be killed in: a slot without its subscription is taken away by
 * the next call, and by `drop`.
 * @param state `active` copies what is there and then applies changes; `prepared` keeps the changes from here
 * on
 */
export async function subscribe(direction: Direction, state: "prepared" | "active"): Promise<void> {
  const { from } = direction;
  await dropSlot(direction);
  const slot = await createSlot(direction);
  const active = state === "active";
  const options = [
    "create_slot = false",
    `slot_name = ${escapeLiteral(slot)}`,
    `enabled = ${active}`,
    `copy_data = ${active}`,
    // Changes are applied in the order of their commits, by one worker: what it has confirmed is there.
    "streaming = off",
    // Both must know it. Without, a change that was replicated here would be replicated back.
    ...(knowsOrigins(direction) ? ["origin = none"] : []),
  ];
  const name = nameOf(direction, state);
  await quietly(
    direction,
    name,
    `CREATE SUBSCRIPTION ${name} CONNECTION ${escapeLiteral(from.peerUrl)} PUBLICATION ${publicationOf(from)} WITH (${options.join(", ")})`,
  );
}

/** Since PostgreSQL 16 a subscription can leave out what its publisher has from somewhere else. */
function knowsOrigins({ from, to }: Direction): boolean {
  return from.version >= 160_000 && to.version >= 160_000;
}

/** Lets an active subscription follow its publisher's tables and its address; new tables are copied. */
export async function refresh(direction: Direction): Promise<void> {
  const name = nameOf(direction, "active");
  await quietly(
    direction,
    name,
    `ALTER SUBSCRIPTION ${name} CONNECTION ${escapeLiteral(direction.from.peerUrl)}`,
  );
  await direction.to.session.query(`ALTER SUBSCRIPTION ${name} ENABLE`);
  await direction.to.session.query(`ALTER SUBSCRIPTION ${name} REFRESH PUBLICATION`);
}

/** Makes a prepared subscription apply what its slot has kept; one that is active continues. */
export async function activate(direction: Direction): Promise<void> {
  const { session } = direction.to;
  const name = nameOf(direction, "active");
  await session.transaction(async () => {
    if ((await subscriptionState(direction)) === "prepared")
      await session.query(`ALTER SUBSCRIPTION ${nameOf(direction, "prepared")} RENAME TO ${name}`);
    await session.query(`ALTER SUBSCRIPTION ${name} ENABLE`);
  });
}

/** Takes away whatever there is of a direction, in any state. */
export async function drop(direction: Direction): Promise<void> {
  const { session } = direction.to;
  for (
    let state = await subscriptionState(direction);
    state !== "none";
    state = await subscriptionState(direction)
  ) {
    const name = nameOf(direction, state);
    await session.transaction(async () => {
      await session.query(`ALTER SUBSCRIPTION ${name} DISABLE`);
      // The slot is dropped below, through this program's own connection: the servers may not reach each
      // other now.
      await session.query(`ALTER SUBSCRIPTION ${name} SET (slot_name = NONE)`);
      await session.query(`DROP SUBSCRIPTION ${name}`);
    });
  }
  await dropSlot(direction);
}

/**
 * True when `back` has applied something that the slot of `forward`, on the same server, has kept: it would
 * come back to where it is from.
 */
export async function wouldReturn(forward: Direction, back: Direction): Promise<boolean> {
  if (knowsOrigins(forward)) return false;
  const { rows } = await forward.from.session.query<{ would: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_replication_origin_status o JOIN pg_subscription s ON o.external_id = 'pg_' || s.oid, pg_replication_slots r
       WHERE s.subname = $1 AND s.subdbid = ${thisDatabase} AND r.slot_name = $2 AND o.local_lsn > r.confirmed_flush_lsn) AS would`,
    [nameOf(back, "active"), await slotOf(forward)],
  );
  return rows[0]?.would === true;
}

/** A statement on a subscription with a password in it. No worker runs with more rights than it needs. */
async function quietly({ to }: Direction, subscription: string, sql: string): Promise<void> {
  await to.session.transaction(async () => {
    await leaveNoTrace(to.session);
    await to.session.query(sql);
    await giveToApplier(to, subscription);
  });
}

/**
 * To the end of the transaction: its statements are not for the server's log, nor for who looks at
 * pg_stat_activity.
 */
async function leaveNoTrace(db: Queryable): Promise<void> {
  const settings = {
    log_statement: "none",
    log_min_duration_statement: "-1",
    log_min_duration_sample: "-1",
    log_transaction_sample_rate: "0",
    // An error in the connection string quotes it.
    log_min_messages: "panic",
    track_activities: "off",
    // Of extensions: known or not, they can be set.
    "pg_stat_statements.track": "none",
    "pgaudit.log": "none",
  };
  for (const [name, value] of Object.entries(settings))
    await db.query("SELECT set_config($1, $2, true)", [name, value]);
}

/**
 * Whether a color's database could follow the other one: begins to, and is rolled back.
 * @param adminUrl of the one that would follow
 * @param peerUrl of the other one
 * @returns why not, as PostgreSQL says it, perhaps with the password; undefined when it could
 */
export function whyNoSubscription(adminUrl: string, peerUrl: string): Promise<string | undefined> {
  return asAdministrator(adminUrl, async ({ alone, transaction }) => {
    // The idle color's database refuses the writes of everybody else.
    await alone("SET default_transaction_read_only = off");
    try {
      return await transaction(async (db): Promise<never> => {
        await leaveNoTrace(db);
        // It connects, as a replication; what it would follow need not be there.
        await db.query(
          `CREATE SUBSCRIPTION bluegreen_try CONNECTION ${escapeLiteral(peerUrl)} PUBLICATION bluegreen_try WITH (create_slot = false, slot_name = NONE, enabled = false, copy_data = false)`,
        );
        throw new Tried();
      });
    } catch (error) {
      return error instanceof Tried ? undefined : messageOf(error);
    }
  });
}

/**
 * What comes along with a table, its triggers and the functions of its indexes and checks, is run by a
 * subscription: since PostgreSQL 16 with the rights of the table's owner, and before with those of the
 * subscription's, who has to be a superuser to get it, and need not stay one. So it gets a role of its own
 * that may write to these tables, and do nothing else. To be called in the transaction that makes or changes
 * the subscription.
 */
async function giveToApplier(to: Side, subscription: string): Promise<void> {
  const { session, version } = to;
  if (version >= 160_000) return;
  const { rows } = await session.query<{ role: string; database: string; isThere: boolean }>(
    `SELECT role, current_database() AS database, EXISTS (SELECT FROM pg_roles WHERE rolname = role) AS "isThere" FROM format('bluegreen_apply_%s', ${thisDatabase}) AS role`,
  );
  for (const { role, database, isThere } of rows) {
    // A worker has to be a role that may log in. Nobody else does so as this one: it has no password, and
    // workers do not count for the limit.
    await session.query(
      `${isThere ? "ALTER" : "CREATE"} ROLE ${role} SUPERUSER LOGIN BYPASSRLS CONNECTION LIMIT 0`,
    );
    await session.query(`GRANT CONNECT ON DATABASE ${escapeIdentifier(database)} TO ${role}`);
    const tables = await replicatedTables(to);
    if (tables.length > 0) {
      await session.query(
        `GRANT USAGE ON SCHEMA ${[...new Set(tables.map(({ schema }) => schema))].join(", ")} TO ${role}`,
      );
      await session.query(
        `GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ${tables.map(({ name }) => name).join(", ")} TO ${role}`,
      );
    }
    await session.query(`ALTER SUBSCRIPTION ${subscription} OWNER TO ${role}`);
    await session.query(`ALTER ROLE ${role} NOSUPERUSER`);
  }
}

/** A slot belongs to a whole server, so it is named after the database, too. */
async function slotOf({ from, to }: Direction): Promise<string> {
  const { rows } = await from.session.query<{ slot: string }>(
    `SELECT format('bluegreen_%s_to_%s', ${thisDatabase}, $1::text) AS slot`,
    [to.color],
  );
  const [found] = rows;
  if (found === undefined) throw new Error("a session has no database");
  return found.slot;
}

async function createSlot(direction: Direction): Promise<string> {
  const slot = await slotOf(direction);
  await direction.from.session.query("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [slot]);
  return slot;
}

/** How long a worker gets to end, in milliseconds. */
const endMs = 10_000;

/** A slot that nobody reads keeps the log of its server for ever. */
async function dropSlot(direction: Direction): Promise<void> {
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
