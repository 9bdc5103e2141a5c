import { escapeIdentifier } from "pg";
import type { Color } from "../../app/color.js";
import type { DatabasePair } from "../../databases/colorDatabases.js";
import { takeLock } from "../../postgres/advisoryLock.js";
import { withoutPasswords } from "../../postgres/appDatabase.js";
import { Session } from "../../postgres/session.js";
import { poll } from "../../util/poll.js";
import { messageOf, UserError } from "../../util/userError.js";

export interface PairOptions {
  /** A line for people who wait. */
  say: (line: string) => void;
  /** How long it may take until one database has what the other has, in milliseconds. */
  budgetMs: number;
}

/** One of the two databases, with a session in it. */
export interface Side {
  color: Color;
  session: Session;
  adminUrl: string;
  peerUrl: string;
  /** server_version_num */
  version: number;
}

export interface Sides {
  live: Side;
  idle: Side;
}

/** The way of the changes from one database to the other. */
export interface Direction {
  from: Side;
  to: Side;
}

/** SQL: the database of the session. Subscriptions and slots of all databases of a server are in one list. */
export const thisDatabase = "(SELECT oid FROM pg_database WHERE datname = current_database())";

/** Both databases, locked: no other handover and no migration runs meanwhile. */
interface OpenPair {
  sides: Sides;
  close(): Promise<void>;
}

/** Marks the program's own sessions: they are spared when all others are ended. */
const name = "bluegreen databases";

/** PostgreSQL lets go of the lock of a run that was killed in less. */
const endedRunMs = 2000;

/**
 * @param what what is not done when it does not succeed
 * @param lockTimeoutMs how long a statement may wait for a lock: none of them holds up a user
 * @throws UserError at once when another run has one of the two
 */
export async function openPair(
  { live, idle }: DatabasePair,
  what: string,
  lockTimeoutMs: number,
): Promise<OpenPair> {
  const opened: Side[] = [];
  const close = async () => {
    for (const { session } of opened) await session.close();
  };
  try {
    for (const { color, adminUrl, peerUrl } of [live, idle]) {
      const session = await Session.open(adminUrl, { name, place: `the database of ${color}` }).catch(
        (error: unknown) => {
          throw new UserError(
            {
              code: "BG-DATABASE-UNREACHABLE",
              what: `${what}: the database of ${color} was not reached`,
              rule: messageOf(error),
              next: "check its URL and its server, then pulumi up",
            },
            { cause: error },
          );
        },
      );
      const side = { color, session, adminUrl, peerUrl, version: 0 };
      opened.push(side);
      await takeLock(session, endedRunMs, `${what} (database of ${color})`);
      await session.reset(lockTimeoutMs);
      side.version = await prepare(side);
    }
    const [first, second] = opened;
    if (first === undefined || second === undefined)
      throw new Error("two databases were opened, and are not there");
    return { sides: { live: first, idle: second }, close };
  } catch (error) {
    await close();
    throw explained(error, what, { live, idle });
  }
}

/** Does `work` with both databases open and locked. No error of it shows a password. */
export async function withPair<T>(
  pair: DatabasePair,
  what: string,
  lockTimeoutMs: number,
  work: (sides: Sides) => Promise<T>,
): Promise<T> {
  const open = await openPair(pair, what, lockTimeoutMs);
  try {
    return await work(open.sides);
  } catch (error) {
    throw explained(error, what, pair);
  } finally {
    await open.close();
  }
}

/** An error for people, without a password. */
export function explained(error: unknown, what: string, { live, idle }: DatabasePair): unknown {
  const safe = withoutPasswords(
    error,
    [live, idle].flatMap(({ adminUrl, peerUrl }) => [adminUrl, peerUrl]),
  );
  if (error instanceof UserError) return safe;
  return new UserError(
    {
      code: "BG-REPLICATION-FAILED",
      what,
      rule: messageOf(safe),
      next: "correct the cause, then pulumi up: it continues from where it is",
    },
    { cause: safe },
  );
}

async function prepare({ color, session }: Side): Promise<number> {
  // What is said to be done has to survive a crash of the server.
  await session.query("SET synchronous_commit = on");
  // A machine that vanishes must not keep the lock for hours.
  await session.query(
    "SELECT set_config(name, '10', false) FROM pg_settings WHERE name IN ('tcp_keepalives_idle', 'tcp_keepalives_interval')",
  );
  const { rows } = await session.query<{ version: number; level: string }>(
    "SELECT current_setting('server_version_num')::int AS version, current_setting('wal_level') AS level",
  );
  const { version = 0, level = "" } = rows[0] ?? {};
  if (version < 150_000) {
    throw new UserError({
      code: "BG-DATABASE-SERVER-UNSUITABLE",
      what: `The database of ${color} was refused: PostgreSQL ${Math.floor(version / 10_000)}`,
      rule: "a database for each color needs PostgreSQL 15 or newer on both servers",
      next: "upgrade the server, or: pulumi config set --path database.strategy shared",
    });
  }
  if (level !== "logical") {
    throw new UserError({
      code: "BG-DATABASE-SERVER-UNSUITABLE",
      what: `The database of ${color} was refused: its server has wal_level = ${level}`,
      rule: "logical replication keeps the idle color's database in sync, in both directions",
      next: "on that server: ALTER SYSTEM SET wal_level = logical; restart it; then pulumi up",
    });
  }
  return version;
}

/** How long sessions get to end, in milliseconds. */
const endMs = 10_000;

/**
 * From here on nobody but this program and the replication writes to the database: a write there
 * would conflict with what is replicated. A guard against mistakes and late writers, not against
 * somebody who sets default_transaction_read_only himself.
 */
export async function refuseWrites(side: Side): Promise<void> {
  await alterDatabase(side, "SET default_transaction_read_only = on");
  await endSessions(side);
}

/** Takes the writes of everybody. Does nothing when the database does so already. */
export async function allowWrites(side: Side): Promise<void> {
  if (!(await refusesWrites(side))) return;
  await alterDatabase(side, "RESET default_transaction_read_only");
  await endSessions(side);
}

export async function refusesWrites({ session }: Side): Promise<boolean> {
  const { rows } = await session.query<{ refuses: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
       WHERE d.datname = current_database() AND s.setrole = 0 AND 'default_transaction_read_only=on' = ANY (s.setconfig)) AS refuses`,
  );
  return rows[0]?.refuses === true;
}

async function alterDatabase({ session }: Side, change: string): Promise<void> {
  const { rows } = await session.query<{ database: string }>("SELECT current_database() AS database");
  for (const { database } of rows)
    await session.query(`ALTER DATABASE ${escapeIdentifier(database)} ${change}`);
}

/**
 * A setting of a database reaches only sessions that begin after it. Replication continues: it is no client's
 * session.
 */
async function endSessions({ session }: Side): Promise<void> {
  const { rows } = await session.query<{ now: string }>("SELECT clock_timestamp()::text AS now");
  let clean = 0;
  await poll(
    async () => {
      const { rowCount } = await session.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND backend_type = 'client backend' AND application_name !~ '^bluegreen ' AND backend_start <= $1`,
        [rows[0]?.now],
      );
      // Twice: a session that was about to begin is not in the first list.
      clean = rowCount === 0 ? clean + 1 : 0;
      return clean === 2 ? true : undefined;
    },
    { timeoutMs: endMs, intervalMs: 10 },
  );
}
