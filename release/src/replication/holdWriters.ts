import { messageOf, UserError } from "../util/userError.js";
import { withRetries } from "../postgres/retry.js";
import { codeOf, deadlockDetected, LockTimeoutError, Session } from "../postgres/session.js";

export interface HoldOptions {
  /** A line for people: a try that met a lock. */
  say: (line: string) => void;
  /** About how long it may take until all writers wait, in milliseconds. */
  budgetMs: number;
  /**
   * PostgreSQL lets the writers go by itself when nothing was heard of this program for so long, in
   * milliseconds. @default 30000
   */
  silenceMs?: number;
}

/**
 * Everybody who writes to a database waits, and readers continue, until `release` or the end of this process.
 */
export interface HeldWriters {
  /**
   * To be called right before a step that relies on it; starts `silenceMs` again.
   * @throws UserError when PostgreSQL has let the writers go
   */
  confirm: () => Promise<void>;
  /** Lets the writers continue where they waited. */
  release: () => Promise<void>;
}

/**
 * One try: users wait as long behind it. Below deadlock_timeout (1 s), so that a deadlock never ends a user's
 * transaction instead of this one.
 */
const tryMs = 700;
const retryDelayMs = 1000;

/** Tables that users can write to. */
const userTables = `SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'`;

/**
 * All tables in one statement: no round trip while somebody waits. What is left of the try is the time for
 * the next table.
 */
const lockAll = `DO $lock$
  DECLARE name text; until timestamptz := clock_timestamp() + interval '${tryMs} ms';
  BEGIN
    FOR name IN SELECT t.name FROM (${userTables}) t ORDER BY t.oid LOOP
      PERFORM set_config('lock_timeout', greatest(1, extract(epoch FROM until - clock_timestamp()) * 1000)::int::text, true);
      EXECUTE format('LOCK TABLE ONLY %s IN EXCLUSIVE MODE', name);
    END LOOP;
  END $lock$`;

const missedTables = `SELECT t.name FROM (${userTables}) t WHERE NOT EXISTS (
  SELECT FROM pg_locks l WHERE l.pid = pg_backend_pid() AND l.relation = t.oid AND l.mode = 'ExclusiveLock' AND l.granted)`;

/**
 * Makes everybody who writes to a database wait: an INSERT, UPDATE, DELETE or SELECT FOR UPDATE that
 * comes now continues after `release`. When all of them wait, everything acknowledged so far is committed.
 * The locks belong to a session: when this process is killed PostgreSQL lets the writers continue.
 * Sequences cannot be locked: nextval continues.
 * @param adminUrl a role that may lock every table; not through a pooler in transaction mode
 * @throws UserError naming who held a table for too long; nobody waits then
 */
export async function holdWriters(
  adminUrl: string,
  { say, budgetMs, silenceMs = 30_000 }: HoldOptions,
): Promise<HeldWriters> {
  const session = await Session.open(adminUrl, { name: "bluegreen handover", place: "the live database" });
  const rollback = () => session.query("ROLLBACK").catch(() => undefined);
  const attempt = async () => {
    await session.query("BEGIN");
    try {
      // Notices a deadlock before a user does, and sends an autovacuum away at once. Only a superuser may.
      await session.query(
        "SELECT set_config('deadlock_timeout', '50ms', true) FROM pg_roles WHERE rolname = current_user AND rolsuper",
      );
      await session.query(lockAll);
      const { rows: missed } = await session.query<{ name: string }>(missedTables);
      if (missed.length > 0)
        throw new LockTimeoutError(`made meanwhile: ${missed.map(({ name }) => name).join(", ")}`);
    } catch (error) {
      await rollback();
      throw error;
    }
  };
  try {
    await session.reset(tryMs);
    await session.query(`SET idle_in_transaction_session_timeout = ${silenceMs}`);
    await withRetries(
      attempt,
      { tries: Math.max(1, Math.floor(budgetMs / (tryMs + retryDelayMs))), retryDelayMs },
      say,
    );
  } catch (error) {
    await session.close();
    if (!(error instanceof LockTimeoutError) && codeOf(error) !== deadlockDetected) throw error;
    throw new UserError(
      {
        code: "BG-WRITERS-NOT-HELD",
        what: "The writers of the live database could not be made to wait, and continue",
        rule: `${messageOf(error)}; tried for ${budgetMs / 1000} s`,
        next: "wait for that transaction, or end it: SELECT pg_terminate_backend(PID); then pulumi up",
      },
      { cause: error },
    );
  }
  return {
    confirm: async () => {
      try {
        await session.query("SELECT 1");
      } catch (error) {
        throw new UserError(
          {
            code: "BG-WRITERS-NOT-HELD",
            what: "The writers of the live database do not wait any longer",
            rule: `the session that held them has ended: ${messageOf(error)}`,
            next: "pulumi up again; if it stays, check the log of PostgreSQL for who ended it",
          },
          { cause: error },
        );
      }
    },
    release: async () => {
      await rollback();
      await session.close();
    },
  };
}
