import { DatabaseError, type Client, type QueryResult, type QueryResultRow } from "pg";
import { messageOf, UserError } from "../util/userError.js";
import { refuseMoreRights, type AppDatabase } from "./appDatabase.js";
import { openClient, useCatalogNames, type Queryable } from "./client.js";

/** A lock was not granted in time; the message names who held it. */
export class LockTimeoutError extends Error {}

/** The server, or the way to it, is gone. PostgreSQL has rolled back, and released what the session held. */
class BrokenConnectionError extends Error {}

/** SQLSTATEs, by their names in PostgreSQL's manual. */
const lockNotAvailable = "55P03";
export const deadlockDetected = "40P01";
export const undefinedObject = "42704";

export function codeOf(error: unknown): string | undefined {
  return error instanceof DatabaseError ? error.code : undefined;
}

/** Often enough to see a blocker before a lock timeout of a second or two. */
const pollIntervalMs = 200;

/**
 * One connection for the work, and a second one that watches it: it sees who blocks the first, and cancels
 * its statement when `signal` says so. Names mean what PostgreSQL itself calls so, whatever the session's
 * rights are: it takes `useOwnNames` to change that, and no more rights than the owner of the schemas.
 */
export class Session implements Queryable {
  private blockers = "";
  private inspecting = false;

  private constructor(
    private readonly client: Client,
    private readonly observer: Client,
    private readonly pid: number,
    private readonly schemas: readonly string[],
    private readonly place: string,
    readonly signal: AbortSignal | undefined,
  ) {}

  /**
   * @param options.name application_name, for who looks at pg_stat_activity
   * @param options.place which database it is, for the error when the connection breaks
   * @throws UserError when a pooler hands connections from one client to another
   * @throws BrokenConnectionError when nobody answers
   */
  static async open(
    connectionString: string,
    {
      name = "bluegreen migrations",
      place = "the database",
      signal,
    }: { name?: string; place?: string; signal?: AbortSignal | undefined } = {},
  ): Promise<Session> {
    const opened: Client[] = [];
    const open = async (application: string) => {
      const client = await openClient(connectionString, application);
      opened.push(client);
      return client;
    };
    try {
      const client = await open(name);
      const observer = await open(`${name} observer`);
      const pid = await backendOf(client);
      if ((await backendOf(observer)) === pid) {
        throw new UserError({
          code: "BG-POOLER-UNSUPPORTED",
          what: `Nothing was started (${name}): two connections got the same PostgreSQL session`,
          rule: "a pooler in transaction mode is between, and the lock that keeps two runs apart belongs to a session",
          next: "give the database Secret a key direct-url, with a URL past the pooler",
        });
      }
      await useCatalogNames(observer, "session");
      return new Session(client, observer, pid, await useCatalogNames(client, "session"), place, signal);
    } catch (error) {
      await Promise.all(opened.map((client) => client.end()));
      throw error instanceof DatabaseError || error instanceof UserError
        ? error
        : new BrokenConnectionError(`no connection to ${place}: ${messageOf(error)}`, { cause: error });
    }
  }

  /**
   * @throws LockTimeoutError when lock_timeout ended it
   * @throws BrokenConnectionError when nobody knows whether it was done
   * @throws whatever `signal` was aborted with, before the statement is sent
   */
  async query<Row extends QueryResultRow>(sql: string, values: unknown[] = []): Promise<QueryResult<Row>> {
    this.signal?.throwIfAborted();
    this.blockers = "";
    let inspection: Promise<void> | undefined;
    const onTick = () => {
      if (!this.inspecting) inspection = this.inspect();
    };
    const timer = setInterval(onTick, pollIntervalMs);
    this.signal?.addEventListener("abort", onTick);
    try {
      return await this.client.query<Row>(sql, values);
    } catch (error) {
      if (!(error instanceof DatabaseError))
        throw new BrokenConnectionError(`the connection to ${this.place} broke: ${messageOf(error)}`, {
          cause: error,
        });
      if (error.code !== lockNotAvailable) throw error;
      const waitedFor = this.blockers || (await this.suspects());
      throw new LockTimeoutError(`canceled by lock_timeout while waiting for ${waitedFor}`, { cause: error });
    } finally {
      clearInterval(timer);
      this.signal?.removeEventListener("abort", onTick);
      // A cancellation that is still on its way must not meet the next statement.
      await inspection;
    }
  }

  /** All of `work` or nothing. */
  async transaction(work: () => Promise<void>): Promise<void> {
    await this.query("BEGIN");
    try {
      await work();
      await this.query("COMMIT");
    } catch (error) {
      // Fails too when the connection is gone; then the server has rolled back by itself.
      await this.client.query("ROLLBACK").catch(() => undefined);
      throw error;
    }
  }

  /** Undoes what a migration has set, and what the role brings along. */
  async reset(lockTimeoutMs: number): Promise<void> {
    await this.query("RESET ROLE");
    await this.query("RESET ALL");
    await useCatalogNames(this, "session");
    await this.query("SET statement_timeout = 0");
    // The database of the idle color refuses writes of everybody else.
    await this.query("SET default_transaction_read_only = off");
    await this.query("SET idle_in_transaction_session_timeout = '1min'");
    // Since PostgreSQL 14: a statement whose client was killed ends soon instead of continuing for hours.
    await this.query(
      "SELECT set_config(name, '1s', false) FROM pg_settings WHERE name = 'client_connection_check_interval'",
    );
    await this.setLockTimeout(lockTimeoutMs);
  }

  /**
   * @throws UserError when the session has more rights than whoever may create something in the schemas of its
   * role
   */
  async asOwner(): Promise<AppDatabase> {
    await refuseMoreRights(this, this.schemas);
    return { schemas: this.schemas, query: (sql, values) => this.query(sql, values) };
  }

  /**
   * Until the next `reset`, names mean what they mean to the role: for statements that somebody has written
   * for it.
   * @throws UserError as `asOwner` does
   */
  async useOwnNames(): Promise<void> {
    await this.asOwner();
    await this.query("SET search_path TO DEFAULT");
  }

  async setLockTimeout(ms: number): Promise<void> {
    await this.query(`SET lock_timeout = ${ms}`);
  }

  /** Ending the session releases the advisory lock, whatever state it is in. */
  async close(): Promise<void> {
    await this.client.end();
    await this.observer.end();
  }

  /**
   * One inspection from the second connection. It must not end the work, so nothing that goes wrong here is an
   * error.
   */
  private async inspect(): Promise<void> {
    this.inspecting = true;
    try {
      if (this.signal?.aborted === true)
        await this.observer.query("SELECT pg_cancel_backend($1)", [this.pid]);
      else this.blockers = (await blockersOf(this.observer, this.pid)) || this.blockers;
    } catch {
      // The next inspection, or the statement itself, says what is wrong.
    } finally {
      this.inspecting = false;
    }
  }

  /** In words, for a lock timeout that was over before anybody was seen in the way. */
  private async suspects(): Promise<string> {
    const open = await openTransactions(this.observer, this.pid).catch(() => "");
    return open === ""
      ? "a session that had just ended"
      : `somebody who was not seen; open for the longest time: ${open}`;
  }
}

async function backendOf(client: Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>("SELECT pg_catalog.pg_backend_pid() AS pid");
  return rows[0]?.pid ?? 0;
}

/** A row `a` of pg_stat_activity, in words. */
const sessionInWords = `format('pid %s (user %s, application %s, %s for %s s): %s', a.pid, coalesce(a.usename, '?'), coalesce(nullif(a.application_name, ''), '?'),
    coalesce(a.state, '?'), round(extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, a.query_start))),
    left(regexp_replace(coalesce(a.query, '?'), '\\s+', ' ', 'g'), 200))`;

/** In words: who keeps a session from continuing. */
async function blockersOf(client: Client, pid: number): Promise<string> {
  const { rows } = await client.query<{ blocker: string }>(
    `SELECT CASE WHEN b.pid = 0 THEN 'a prepared transaction (see pg_prepared_xacts)'
                 WHEN a.pid IS NULL THEN format('pid %s', b.pid) ELSE ${sessionInWords} END AS blocker
       FROM unnest(pg_blocking_pids($1)) AS b (pid) LEFT JOIN pg_stat_activity a ON a.pid = b.pid`,
    [pid],
  );
  return rows.map(({ blocker }) => blocker).join("; ");
}

/** In words: the three transactions of others in this database that have been open the longest. */
async function openTransactions(client: Client, pid: number): Promise<string> {
  const { rows } = await client.query<{ suspect: string }>(
    `SELECT ${sessionInWords} AS suspect FROM pg_stat_activity a
      WHERE a.datname = pg_catalog.current_database() AND a.xact_start IS NOT NULL AND a.pid NOT IN ($1, pg_backend_pid())
      ORDER BY a.xact_start LIMIT 3`,
    [pid],
  );
  return rows.map(({ suspect }) => suspect).join("; ");
}
