import { DatabaseError, type Client, type QueryResult, type QueryResultRow } from "pg";
import { openClient, useCatalogNames, type Queryable } from "../../postgres/client.js";
import { messageOf, UserError } from "../../util/userError.js";
import type { ColorDatabase, DatabasePair } from "../../databases/colorDatabases.js";
import { UnreachableError } from "../../postgres/reachable.js";

/** Begins the application_name of every session of a release: these are not ended with the users'. */
export const ownSessions = "bluegreen";

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
    what: `The servers of ${live.color} and ${idle.color} were not touched: both URLs lead to the same server`,
    rule: "the strategy streamingReplica takes two: a primary and its standby",
    next: `correct the administrator's URL of ${idle.color} (${live.color} is live)`,
  });
}

export async function closeServers({ live, idle }: Servers): Promise<void> {
  await Promise.all([live.close(), idle.close()]);
}
