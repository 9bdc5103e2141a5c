import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { startPostgres, type PostgresServer } from "../services/postgres";
import { newestPostgres } from "./newestPostgres";

/** A real PostgreSQL for a suite, with a fresh database for each test that asks for one. */
export interface TestDatabases {
  adminUrl: string;
  /** Where the server's data and log are. */
  dir: string;
  /** URL of a new, empty database. */
  fresh(): Promise<string>;
  /** What the server has written to its log. */
  log(): Promise<string>;
  stop(): Promise<void>;
}

/**
 * @param settings of the server, by name
 * @param version the installed PostgreSQL, or the newest that there is
 */
export async function startDatabases(
  settings: Record<string, string> = {},
  version: "installed" | "newest" = "installed",
): Promise<TestDatabases> {
  const dir = await mkdtemp(join(tmpdir(), "bg-pg-"));
  // The server runs under an account of its own, which has to get through.
  await chmod(dir, 0o755);
  const server: PostgresServer = await startPostgres({
    dir: join(dir, "pg"),
    settings,
    bin: version === "newest" ? await newestPostgres(join(dir, "native")) : undefined,
  });
  return {
    adminUrl: server.adminUrl,
    dir: join(dir, "pg"),
    fresh: async () => {
      const name = `test_${randomBytes(4).toString("hex")}`;
      await query(server.adminUrl, `CREATE DATABASE ${name}`);
      const url = new URL(server.adminUrl);
      url.pathname = `/${name}`;
      return url.href;
    },
    log: () => readFile(join(dir, "pg", "log"), "utf8"),
    stop: async () => {
      await server.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Runs one statement on a connection of its own. */
export async function query(
  url: string,
  sql: string,
  values: unknown[] = [],
): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql, values)).rows;
  } finally {
    await client.end();
  }
}
