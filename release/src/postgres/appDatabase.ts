import { inspect } from "node:util";
import { masked, passwordsOf } from "../util/shown.js";
import { messageOf, UserError } from "../util/userError.js";
import { openClient, useCatalogNames, type Queryable } from "./client.js";

/**
 * The app's database, asked by a role that has no right that whoever may create something in these schemas
 * has not.
 */
export interface AppDatabase extends Queryable {
  /** The schemas of the role's own search path, in its order. */
  readonly schemas: readonly string[];
}

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

/** Rights by which a role comes to others, or to the server's machine. Of `me`, and not of `other`. */
const moreRights = `me.rolsuper OR me.rolcreaterole AND NOT other.rolcreaterole OR me.rolreplication AND NOT other.rolreplication OR me.rolbypassrls AND NOT other.rolbypassrls
  OR EXISTS (SELECT FROM pg_roles power WHERE power.rolname IN ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files')
               AND pg_has_role(me.oid, power.oid, 'MEMBER') AND NOT pg_has_role(other.oid, power.oid, 'MEMBER'))`;

/**
 * Whoever may create functions, operators, casts and views where a role looks can have that role run them.
 * @param schemas where it looks
 * @throws UserError when the session's role has more rights than one of those who may
 */
export async function refuseMoreRights(db: Queryable, schemas: readonly string[]): Promise<void> {
  const { rows } = await db.query<{ me: string; other: string; schema: string }>(
    `SELECT me.rolname AS me, other.rolname AS other, n.nspname AS schema
       FROM pg_roles me, pg_roles other, pg_namespace n
      WHERE me.rolname IN (session_user, current_user) AND NOT other.rolsuper AND other.rolname !~ '^pg_' AND (${moreRights})
        AND n.nspname = ANY ($1::name[]) AND has_schema_privilege(other.oid, n.oid, 'CREATE')
        AND (NOT other.rolcanlogin OR has_database_privilege(other.oid, current_database(), 'CONNECT'))
      ORDER BY other.rolname LIMIT 1`,
    [schemas],
  );
  const [found] = rows;
  if (found === undefined) return;
  const { me, other, schema } = found;
  throw new UserError({
    code: "BG-ROLE-TOO-POWERFUL",
    what: `The database was not touched: ${me} has more rights than ${other}, who may create functions in its schema ${schema}`,
    rule: `what ${other} makes there could run as ${me}: the release works in the app's schema with the rights of its owner, or fewer`,
    next: `give the database Secret a direct-url of the role that owns the schema, and that is no superuser; or where ${other} creates nothing there: REVOKE CREATE ON SCHEMA "${schema}" FROM PUBLIC, "${other}"`,
  });
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
