import { openClient, useCatalogNames, type Queryable } from "./client.js";

/**
 * Somebody with more rights than the owners of what he looks at. Names mean what PostgreSQL itself calls so;
 * tables of others are written out, and no view, cast or function of theirs is computed.
 */
export interface Administrator {
  /** All of `work` or nothing. */
  transaction: <T>(work: (db: Queryable) => Promise<T>) => Promise<T>;
  /**
   * What PostgreSQL runs outside of transactions alone: a statement in which roles and databases are all that
   * is named.
   */
  alone: (sql: string) => Promise<void>;
}

/** Work on a connection of its own. */
export async function asAdministrator<T>(
  adminUrl: string,
  work: (administrator: Administrator) => Promise<T>,
): Promise<T> {
  const client = await openClient(adminUrl, "bluegreen administrator");
  const transaction: Administrator["transaction"] = async (part) => {
    await client.query("BEGIN");
    try {
      await useCatalogNames(client, "transaction");
      const done = await part(client);
      await client.query("COMMIT");
      return done;
    } catch (error) {
      // Fails too when the connection is gone; then the server has rolled back by itself.
      await client.query("ROLLBACK").catch(() => undefined);
      throw error;
    }
  };
  try {
    return await work({
      transaction,
      alone: async (sql) => {
        await client.query(sql);
      },
    });
  } finally {
    await client.end();
  }
}

/** Thrown at the end of what was to be tried: it has succeeded, and is rolled back. */
export class Tried extends Error {}
