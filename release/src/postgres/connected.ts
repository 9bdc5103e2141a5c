import { inspect } from "node:util";
import { masked, passwordsOf } from "../util/masked.js";
import { messageOf } from "../util/userError.js";
import { openClient, useCatalogNames } from "./client.js";
import { refuseMoreRights, type AppDatabase } from "./session.js";

/**
 * Reads the app's database, in a transaction that cannot write: every query sees the same moment.
 * @throws UserError when the role has more rights than whoever may create something where it looks
 */
export function reading<T>(connectionString: string, read: (db: AppDatabase) => Promise<T>): Promise<T> {
  return inTransaction(
    connectionString,
    { begin: "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY", end: "COMMIT" },
    read,
  );
}

/**
 * Work in the app's database, all of it or nothing.
 * @throws UserError when the role has more rights than whoever may create something where it works
 */
export function connected<T>(connectionString: string, work: (db: AppDatabase) => Promise<T>): Promise<T> {
  return inTransaction(connectionString, { begin: "BEGIN", end: "COMMIT" }, work);
}

/** The same, and nothing of it stays. */
export function trying<T>(connectionString: string, work: (db: AppDatabase) => Promise<T>): Promise<T> {
  return inTransaction(connectionString, { begin: "BEGIN", end: "ROLLBACK" }, work);
}

async function inTransaction<T>(
  connectionString: string,
  { begin, end }: { begin: string; end: string },
  work: (db: AppDatabase) => Promise<T>,
): Promise<T> {
  const client = await openClient(connectionString, "bluegreen");
  try {
    await client.query(begin);
    const schemas = await useCatalogNames(client, "transaction");
    await refuseMoreRights(client, schemas);
    const done = await work({ schemas, query: (sql, values) => client.query(sql, values) });
    await client.query(end);
    return done;
  } finally {
    await client.end();
  }
}

/**
 * An error that shows no password of these URLs, wherever it was: PostgreSQL quotes statements and
 * connection strings in some of its own.
 */
export function withoutPasswords(error: unknown, urls: string[]): unknown {
  // Details and causes are shown with the message, and none of them is worth a password.
  const all = messageOf(error) + inspect(error, { depth: 10 });
  return urls.flatMap(passwordsOf).some((password) => all.includes(password))
    ? new Error(masked(messageOf(error), urls))
    : error;
}
