import { DatabaseError, type Client, type QueryResult, type QueryResultRow } from "pg";
import type { ColorDatabase, DatabasePair } from "../../databases/colorDatabases.js";
import { openClient, useCatalogNames, type Queryable } from "../../postgres/client.js";
import { UnreachableError } from "../../postgres/reachable.js";
import { DeadlineError, poll } from "../../util/poll.js";
import { messageOf, UserError } from "../../util/userError.js";
import { holdWriters, type HeldWriters, type HoldOptions } from "../holdWriters.js";

/** Begins the application_name of every session of a release: these are not ended with the users'. */
const ownSessions = "bluegreen";

/** What a server says of itself. */
interface Identity {
  /** The same for all copies of a server. */
  systemIdentifier: string;
  startedAt: Date;
  superuser: boolean;
  /** What every new session is given. */
  readOnly: boolean;
}

/** A session of the administrator on the server of one color. */
export class Server implements Queryable {
  private constructor(
    readonly database: ColorDatabase,
    private readonly client: Client,
    readonly identity: Identity,
  ) {}

  get color(): string {
    return this.database.color;
  }

  /** @throws UserError when it does not answer, or the role is no superuser */
  static async open(database: ColorDatabase): Promise<Server> {
    const { color, adminUrl } = database;
    let client: Client | undefined;
    try {
      client = await openClient(adminUrl, `${ownSessions} replica`);
      await useCatalogNames(client, "session");
      const { rows } = await client.query<Identity>(
        `SELECT (SELECT system_identifier::text FROM pg_control_system()) AS "systemIdentifier", pg_postmaster_start_time() AS "startedAt",
                current_setting('is_superuser')::bool AS superuser, current_setting('default_transaction_read_only')::bool AS "readOnly"`,
      );
      const [identity] = rows;
      if (identity === undefined) throw new Error("no row");
      if (!identity.superuser) {
        throw new UserError({
          code: "BG-DATABASE-SERVER-UNSUITABLE",
          what: `The server of ${color} was not touched: the role of its administrator's URL is no superuser`,
          rule: "to promote a standby and to make a server refuse writes takes a superuser (pg_promote, ALTER SYSTEM, pg_terminate_backend)",
          next: `give the URL of ${color} a superuser's name and password`,
        });
      }
      // Not "on": that could wait for a standby.
      await client.query("SET synchronous_commit = local");
      return new Server(database, client, identity);
    } catch (error) {
      await client?.end().catch(() => undefined);
      if (error instanceof UserError) throw error;
      // No cause: a URL that cannot be read is quoted there, and one that is read wrongly may have its
      // password in place of the host.
      const rule = reasonOf(error);
      throw new (nobodyListens.includes(rule) ? StoppedError : UnreachableError)({
        code: "BG-DATABASE-UNREACHABLE",
        what: `The server of ${color} could not be asked`,
        rule,
        next: `check that it runs, and the administrator's URL of ${color}: name, password, host`,
      });
    }
  }

  /** @throws UserError when the connection breaks: nobody knows then whether it was done */
  async query<Row extends QueryResultRow>(sql: string, values: unknown[] = []): Promise<QueryResult<Row>> {
    try {
      return await this.client.query<Row>(sql, values);
    } catch (error) {
      if (error instanceof DatabaseError) throw error;
      throw new UserError(
        {
          code: "BG-DATABASE-UNREACHABLE",
          what: `The connection to the server of ${this.color} broke`,
          rule: messageOf(error),
          next: "check whether that server runs and can be reached, then pulumi up: it continues from where it is",
        },
        { cause: error },
      );
    }
  }

  /** The one row of a query that always has one. */
  async row<Row extends QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row> {
    const [row] = (await this.query<Row>(sql, values)).rows;
    if (row === undefined) throw new Error(`the server of ${this.color} gave no row for ${sql}`);
    return row;
  }

  async close(): Promise<void> {
    await this.client.end().catch(() => undefined);
  }
}

/** A server that does not run: nobody listens where it would. */
export class StoppedError extends UnreachableError {}

const nobodyListens = ["ECONNREFUSED", "ENOENT"];

/** What went wrong with a connection, without anything of its URL. */
function reasonOf(error: unknown): string {
  if (error instanceof DatabaseError) return error.message;
  if (error instanceof Error && "code" in error && typeof error.code === "string")
    return error.code === "ERR_INVALID_URL" ? "the URL cannot be read" : error.code;
  return "no connection within 10 s, or one that broke";
}

/** Sessions on both servers. */
export interface Servers {
  live: Server;
  idle: Server;
}

export async function openServers(pair: DatabasePair): Promise<Servers> {
  const live = await Server.open(pair.live);
  try {
    return { live, idle: await openBeside(live, pair.idle) };
  } catch (error) {
    await live.close();
    throw error;
  }
}

/**
 * A session on the idle color's server.
 * @throws UserError when it is the live one: to fence what is taken for the idle server would stop all writes
 */
export async function openBeside(live: Server, database: ColorDatabase): Promise<Server> {
  const idle = await Server.open(database);
  if (
    live.identity.systemIdentifier !== idle.identity.systemIdentifier ||
    live.identity.startedAt.getTime() !== idle.identity.startedAt.getTime()
  )
    return idle;
  await idle.close();
  throw new UserError({
    code: "BG-DATABASE-SERVER-WRONG",
    what: `The servers of ${live.color} and ${idle.color} were not touched: both URLs point to the same server`,
    rule: "the strategy streamingReplica takes two: a primary and its standby",
    next: `correct the administrator's URL of ${idle.color} (${live.color} is live)`,
  });
}

export async function closeServers({ live, idle }: Servers): Promise<void> {
  await Promise.all([live.close(), idle.close()]);
}

const budgetMs = 30_000;
const intervalMs = 50;

/**
 * Fences a former primary, as PostgreSQL clusters call it: makes it refuse writes, across restarts, and ends the
 * sessions that were open: also one that waits for a lock must not write there later. Readers reconnect and
 * continue. What ALTER SYSTEM does is not replicated, so a standby does not inherit it.
 * It is a default: a session that asks for a transaction that writes still gets one.
 */
export async function refuseWrites(database: ColorDatabase): Promise<void> {
  await setReadOnly(database, "ALTER SYSTEM SET default_transaction_read_only = on", true);
  const server = await Server.open(database);
  try {
    await soon(database, "to end the sessions that were open", async () => {
      const { left } = await server.row<{ left: number }>(
        // Whoever came after this session came with the new default.
        `SELECT count(pg_terminate_backend(pid))::int AS left FROM pg_stat_activity
          WHERE backend_type = 'client backend' AND application_name NOT LIKE '${ownSessions} %' AND backend_start <= (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid())`,
      );
      return left === 0 ? true : undefined;
    });
  } finally {
    await server.close();
  }
}

/** Ends what `refuseWrites` did. A standby continues to refuse writes. */
export async function allowWrites(database: ColorDatabase): Promise<void> {
  await setReadOnly(database, "ALTER SYSTEM RESET default_transaction_read_only", false);
}

/** Returns when every new session has it. */
async function setReadOnly(database: ColorDatabase, sql: string, readOnly: boolean): Promise<void> {
  const first = await Server.open(database);
  try {
    await first.query(sql);
    await first.query("SELECT pg_reload_conf()");
  } finally {
    await first.close();
  }
  await soon(database, `to be told: ${sql}`, async () => {
    const server = await Server.open(database);
    await server.close();
    return server.identity.readOnly === readOnly ? true : undefined;
  });
}

async function soon(
  database: ColorDatabase,
  what: string,
  check: () => Promise<true | undefined>,
): Promise<void> {
  try {
    await poll(check, { timeoutMs: budgetMs, intervalMs });
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    throw new UserError({
      code: "BG-DATABASE-SERVER-TIMEOUT",
      what: `The server of ${database.color} took too long ${what}`,
      rule: `given ${budgetMs / 1000} s; the setting may be overridden (command line, ALTER ROLE, ALTER DATABASE), or a session does not end`,
      next: "SELECT sourcefile, setting FROM pg_file_settings WHERE name = 'default_transaction_read_only'; SELECT * FROM pg_stat_activity; then pulumi up",
    });
  }
}

/**
 * Makes the writers of every database of a server wait, but for templates: all of them are replicated
 * together.
 */
export async function holdServer(server: Server, options: HoldOptions): Promise<HeldWriters> {
  const { rows } = await server.query<{ name: string }>(
    "SELECT datname AS name FROM pg_database WHERE datallowconn AND NOT datistemplate",
  );
  const tries = await Promise.allSettled(rows.map(({ name }) => holdWriters(urlOf(server, name), options)));
  const held = tries.flatMap((attempt) => (attempt.status === "fulfilled" ? [attempt.value] : []));
  const release = async () => {
    await Promise.all(held.map((each) => each.release()));
  };
  const failed = tries.find((attempt) => attempt.status === "rejected");
  if (failed !== undefined) {
    await release();
    throw failed.reason;
  }
  return {
    confirm: async () => {
      await Promise.all(held.map((each) => each.confirm()));
    },
    release,
  };
}

function urlOf(server: Server, name: string): string {
  const url = new URL(server.database.adminUrl);
  url.pathname = `/${encodeURIComponent(name)}`;
  return url.href;
}
