import { Client } from "pg";
import type { Queryable } from "./session.js";

/** Looks into a database, in a transaction that cannot write: every look sees the same moment. */
export function reading<T>(connectionString: string, look: (db: Queryable) => Promise<T>): Promise<T> {
  return connected(connectionString, async (db) => {
    await db.query("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
    return look(db);
  });
}

/** Work on a connection of its own. */
export async function connected<T>(connectionString: string, work: (db: Queryable) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString, connectionTimeoutMillis: 10_000, application_name: "bluegreen" });
  // Reported by the next query; without a listener it would end the process.
  client.on("error", () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
