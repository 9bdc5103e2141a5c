import { Pool } from "pg";
import { SCHEMA } from "./build";
import { describeError, type Log } from "./log";

export interface SchemaState {
  /** The newest migration that is applied; null in a database without migrations. */
  applied: string | null;
  compatible: boolean;
}

/**
 * Connections that a pod opens when it starts, and keeps. A switch brings users all at once to a color that
 * had none: without them the first ones wait while sessions are made, which was most of what they noticed of
 * a switch.
 */
const kept = 4;

/** The pool for requests. Every wait on it ends: for a connection, and for an answer. */
export function openPool(connectionString: string, log: Log): Pool {
  const pool = open(
    connectionString,
    { min: kept, max: 8, connectionTimeoutMillis: 3000, statement_timeout: 5000, query_timeout: 6000 },
    log,
  );
  void fill(pool);
  return pool;
}

/** While the database is away, nothing is lost by it: requests open their own, as they need them. */
async function fill(pool: Pool): Promise<void> {
  const opened = await Promise.allSettled(Array.from({ length: kept }, () => pool.connect()));
  for (const each of opened) if (each.status === "fulfilled") each.value.release();
}

/**
 * A connection for the readiness check alone: when requests use up their pool, the pods would
 * otherwise all turn unready at once and a slow app would become an outage.
 */
export function openProbePool(connectionString: string, log: Log): Pool {
  return open(
    connectionString,
    { min: 1, max: 1, connectionTimeoutMillis: 1000, statement_timeout: 1000, query_timeout: 1000 },
    log,
  );
}

type Limits = Required<
  Pick<
    ConstructorParameters<typeof Pool>[0] & object,
    "min" | "max" | "connectionTimeoutMillis" | "statement_timeout" | "query_timeout"
  >
>;

/** Sessions carry the name in PGAPPNAME, which tells the versions of the app apart in the database. */
function open(connectionString: string, limits: Limits, log: Log): Pool {
  const pool = new Pool({ connectionString, ...limits, keepAlive: true });
  // A connection that breaks while idle is dropped from the pool; unheard, the event would end the process.
  pool.on("error", (error) => {
    log("warn", "an idle database connection was lost", { error: describeError(error) });
  });
  return pool;
}

const UNDEFINED_TABLE = "42P01";

export async function readSchema(pool: Pool): Promise<SchemaState> {
  try {
    const { rows } = await pool.query<{ applied: string | null; compatible: boolean | null }>(
      "SELECT max(id) AS applied, bool_or(id = $1) AS compatible FROM schema_migrations",
      [SCHEMA.needs],
    );
    return { applied: rows[0]?.applied ?? null, compatible: rows[0]?.compatible ?? false };
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === UNDEFINED_TABLE) {
      return { applied: null, compatible: false };
    }
    throw error;
  }
}
