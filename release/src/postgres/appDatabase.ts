import { UserError } from "../util/userError.js";
import type { Queryable } from "./client.js";

/**
 * The app's database, asked by a role that has no right that whoever may create something in these schemas
 * has not.
 */
export interface AppDatabase extends Queryable {
  /** Where the role's own names lead, in its order. */
  readonly schemas: readonly string[];
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
