import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPostgres } from "../../local/services/postgres";
import { query } from "../../local/testing/database";

/** A real PostgreSQL with one filled table, copied for each measurement. */
export interface BenchDatabase {
  /** Size of the table and its indexes before anything happens to it, in bytes. */
  bytes: number;
  /** URL of a fresh copy. */
  copy(name: string): Promise<string>;
  drop(name: string): Promise<void>;
  stop(): Promise<void>;
}

const settings = {
  // Unlike the local stage, a commit waits for the disk, as it does where people keep their data.
  fsync: "on",
  synchronous_commit: "on",
  full_page_writes: "on",
  shared_buffers: "512MB",
  // Room for the log of a whole run: a checkpoint in the middle of one contender and not of the next compares
  // nothing.
  max_wal_size: "8GB",
  checkpoint_timeout: "1h",
  // A contender whose time is up ends soon.
  client_connection_check_interval: "1s",
};

/** Both names of the column have the same content from here on, whichever version writes. */
const dualWrite = `
  CREATE FUNCTION users_both_names() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'INSERT' THEN
        NEW.email_address := coalesce(NEW.email_address, NEW.email);
        NEW.email := coalesce(NEW.email, NEW.email_address);
      ELSIF NEW.email IS DISTINCT FROM OLD.email THEN NEW.email_address := NEW.email;
      ELSE NEW.email := NEW.email_address;
      END IF;
      RETURN NEW;
    END $$;
  CREATE TRIGGER users_both_names BEFORE INSERT OR UPDATE OF email, email_address ON users
    FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION users_both_names();`;

const original = "original";

/** Starts the server and fills the table. @param rows of the table */
export async function startBenchDatabase(
  rows: number,
  progress: (text: string) => void,
): Promise<BenchDatabase> {
  const dir = await mkdtemp(join(tmpdir(), "bg-bench-"));
  // The server runs under an account of its own, which has to get through.
  await chmod(dir, 0o755);
  const server = await startPostgres({ dir: join(dir, "pg"), settings }).catch(async (error: unknown) => {
    await rm(dir, { recursive: true, force: true });
    throw error;
  });
  const admin = (sql: string) => query(server.adminUrl, sql);
  const urlOf = (name: string) => Object.assign(new URL(server.adminUrl), { pathname: `/${name}` }).href;
  const stop = async () => {
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  };
  try {
    progress(`filling ${rows.toLocaleString("en-US")} rows`);
    await admin(`CREATE DATABASE ${original}`);
    const url = urlOf(original);
    await query(
      url,
      `CREATE TABLE users (id bigserial PRIMARY KEY, email text NOT NULL, name text NOT NULL, created_at timestamptz NOT NULL DEFAULT now(), about text NOT NULL, email_address text)`,
    );
    await query(
      url,
      `INSERT INTO users (email, name, created_at, about)
         SELECT 'user' || n || '@example.com', 'User ' || n, timestamptz '2024-01-01Z' + n * interval '1 second', repeat(md5(n::text), 8) FROM generate_series(1, ${rows}) n`,
    );
    await query(url, "CREATE INDEX users_created_at ON users (created_at)");
    await query(url, dualWrite);
    await query(url, "VACUUM ANALYZE users");
    return {
      bytes: await tableBytes(url),
      copy: async (name) => {
        await admin(`CREATE DATABASE ${name} TEMPLATE ${original} STRATEGY file_copy`);
        // What copying has left to write is not the next contender's business.
        await admin("CHECKPOINT");
        return urlOf(name);
      },
      drop: async (name) => {
        await admin(`DROP DATABASE ${name} WITH (FORCE)`);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

export async function tableBytes(url: string): Promise<number> {
  return Number((await query(url, "SELECT pg_total_relation_size('users') AS bytes"))[0]?.["bytes"]);
}
