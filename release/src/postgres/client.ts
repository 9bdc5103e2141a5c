import { Socket } from "node:net";
import { Client, type QueryResult, type QueryResultRow } from "pg";
import { currentRoute, type Destination } from "./route.js";

/** Somebody who can be asked: a session, or a plain client. */
export interface Queryable {
  query<Row extends QueryResultRow>(sql: string, values?: unknown[]): Promise<QueryResult<Row>>;
}

/**
 * A connection to PostgreSQL. Nothing else opens one. Whoever does takes `useCatalogNames` before anything
 * but written out names: a database says by its own settings what the others mean there.
 * It goes by the route of the work that it is opened in, where that has one.
 * @param name application_name, for who looks at pg_stat_activity
 */
export async function openClient(connectionString: string, name: string): Promise<Client> {
  const route = currentRoute();
  const relayed = route && new RelayedSocket();
  const client = new Client({
    connectionString,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    application_name: name,
    ...(relayed !== undefined && { stream: () => relayed }),
  });
  // A connection that breaks while idle is reported by the next query; without a listener it would end the
  // process.
  client.on("error", () => undefined);
  if (route !== undefined) {
    const { host, port } = client;
    await relayed?.connectTo(await route.portTo({ host, port }), { host, port });
  }
  await client.connect();
  return client;
}

/**
 * PostgreSQL's own, and nothing that somebody has made. pg_temp has to be last: left out, it would be first.
 */
const catalogNames = "pg_catalog, pg_temp";

/**
 * From here on a name without a schema means what PostgreSQL itself calls so. Otherwise a function that the
 * app's role has made in its schema, with arguments that fit better than those of PostgreSQL's own, runs with
 * this session's rights.
 * @param lasting `transaction` where a pooler may be between, whose sessions are other clients' afterwards
 * @returns the schemas that the role's own search path named, in its order
 */
export async function useCatalogNames(
  db: Queryable,
  lasting: "session" | "transaction",
): Promise<readonly string[]> {
  // In this order: what is selected is computed from left to right.
  const { rows } = await db.query<{ schemas: string[] }>(
    "SELECT pg_catalog.current_schemas(false)::pg_catalog.text[] AS schemas, pg_catalog.set_config('search_path', $1, $2)",
    [catalogNames, lasting === "transaction"],
  );
  return rows[0]?.schemas ?? [];
}

/** From the connection to the relay's answer. A relay answers before that: it waits for a server for less. */
const answerMs = 20_000;

/**
 * What pg takes as its connection to a server, and is one to a relay, which forwards there. What pg does with it
 * from then on, TLS with the server's name first of all, is between pg and the server.
 */
export class RelayedSocket extends Socket {
  /** pg connects what it is given. This is connected already. */
  override connect(): this {
    process.nextTick(() => this.emit("connect"));
    return this;
  }

  /**
   * @param port of the relay, on this machine
   * @throws Error with the code of what kept the relay from getting there
   */
  async connectTo(port: number, { host, port: to }: Destination): Promise<void> {
    super.connect(port, "127.0.0.1");
    this.write(`${host} ${to}\n`);
    const answer = await this.readLine().catch((error: unknown) => {
      this.destroy();
      throw error;
    });
    if (answer === "ok") return;
    this.destroy();
    const [code = "", ...words] = answer.split(" ");
    throw coded(code, `${host}:${to}, asked from a pod: ${words.join(" ")}`);
  }

  private readLine(): Promise<string> {
    return new Promise((resolve, reject) => {
      let text = "";
      const stop = () => {
        this.setTimeout(0);
        this.off("readable", onReadable)
          .off("close", onClose)
          .off("error", onError)
          .off("timeout", onTimeout);
      };
      const onError = (error: Error) => {
        stop();
        reject(error);
      };
      const onReadable = () => {
        const part: unknown = this.read();
        if (Buffer.isBuffer(part)) text += part.toString("latin1");
        const end = text.indexOf("\n");
        if (end < 0) return;
        stop();
        resolve(text.slice(0, end));
      };
      const onClose = () => {
        onError(coded("ECONNRESET", "the relay in the cluster has closed the connection"));
      };
      const onTimeout = () => {
        onError(coded("ETIMEDOUT", `the relay in the cluster did not answer within ${answerMs / 1000} s`));
      };
      this.on("readable", onReadable).on("close", onClose).on("error", onError).on("timeout", onTimeout);
      this.setTimeout(answerMs);
    });
  }
}

function coded(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
