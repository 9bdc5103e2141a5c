import { refuseMoreRights, type AppDatabase } from "./appDatabase.js";
import { openClient, useCatalogNames } from "./client.js";

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
