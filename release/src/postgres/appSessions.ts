import type { Queryable } from "./client.js";

/** A connection to the database under the app's account. */
export interface AppSession {
  pid: number;
  user: string;
  /** As the session names itself: pods have the name of their version in PGAPPNAME. */
  application: string;
  address: string;
  since: Date;
}

/**
 * The sessions of roles in this database, the release's own aside. PostgreSQL shows these columns to
 * everybody but the address.
 */
export async function readAppSessions(db: Queryable, users: string[]): Promise<AppSession[]> {
  const { rows } = await db.query<AppSession>(
    `SELECT pid, usename AS user, coalesce(application_name, '') AS application, coalesce(host(client_addr), 'a socket') AS address, coalesce(backend_start, now()) AS since
       FROM pg_stat_activity
      WHERE datname = current_database() AND usename = ANY ($1) AND coalesce(application_name, '') NOT LIKE 'bluegreen%' AND backend_type = 'client backend'
      ORDER BY pid`,
    [users],
  );
  return rows;
}
