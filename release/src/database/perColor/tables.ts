import { escapeLiteral } from "pg";
import type { Side } from "./side.js";

/** What the runner writes about each database itself. */
const ofTheRunner = ["schema_migrations", "schema_backfills", "schema_migration_statements", "schema_switches"];

/** Of the users, not of PostgreSQL, an extension or the runner. `c` is pg_class, `n` its pg_namespace. */
export const ofUsers = `c.relpersistence <> 't' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND c.relname NOT IN (${ofTheRunner.map((name) => escapeLiteral(name)).join(", ")})
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`;

/** A table that has rows of its own. */
export interface Table {
  oid: number;
  /** Quoted. */
  schema: string;
  /** Quoted, with its schema. */
  name: string;
  /** Something tells its rows apart, so that an UPDATE or DELETE can be replicated. */
  identified: boolean;
}

/** The tables that are replicated, in the order of their names. */
export async function replicatedTables({ session }: Side): Promise<Table[]> {
  const { rows } = await session.query<Table>(
    `SELECT c.oid, format('%I', n.nspname) AS schema, format('%I.%I', n.nspname, c.relname) AS name,
            c.relreplident = 'f' OR EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisvalid AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END) AS identified
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND ${ofUsers} ORDER BY 3`,
  );
  return rows;
}

/** Those of `tables` that have rows. TABLESAMPLE, which leaves none out here, refuses a view that was put in a table's place: its functions would run as who looks. */
export async function filled({ session }: Side, tables: string[]): Promise<string[]> {
  const found: string[] = [];
  for (const table of tables) {
    const { rowCount } = await session.query(`SELECT FROM ONLY ${table} TABLESAMPLE SYSTEM (100) LIMIT 1`);
    if (rowCount === 1) found.push(table);
  }
  return found;
}
