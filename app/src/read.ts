import { Client, type Pool, type QueryResultRow } from "pg";

/**
 * A query that only reads. When its session was lost before the answer came it is asked once more, on a
 * connection of its own: others of the pool may have been lost with it, unnoticed until they are used.
 * So nobody sees that an administrator ended the sessions, or that a database handed over to another.
 * Never for a query that writes: nobody knows whether a lost one was done.
 */
export async function read<Row extends QueryResultRow>(
  pool: Pool,
  sql: string,
  values: unknown[],
): Promise<Row[]> {
  try {
    return (await pool.query<Row>(sql, values)).rows;
  } catch (error) {
    if (!isSessionLost(error)) throw error;
    const client = new Client(pool.options);
    // A connection that breaks is reported by the query; unheard, the event would end the process.
    client.on("error", () => undefined);
    try {
      await client.connect();
      return (await client.query<Row>(sql, values)).rows;
    } finally {
      await client.end();
    }
  }
}

/**
 * Ended by an administrator or a shutdown, or because another session had crashed; a socket that the other
 * side has closed.
 */
const lostCodes = new Set(["57P01", "57P02", "ECONNRESET", "EPIPE"]);
/**
 * What pg says, without a code, of a connection that was closed before it had an answer, and of one that
 * broke before it was used.
 */
const lostMessages = new Set([
  "Connection terminated unexpectedly",
  "Client has encountered a connection error and is not queryable",
]);

function isSessionLost(error: unknown): boolean {
  return (
    error instanceof Error &&
    (("code" in error && lostCodes.has(String(error.code))) || lostMessages.has(error.message))
  );
}
