import { existsSync, readdirSync } from "node:fs";
import { chown, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { accountOf, type Account } from "../system/account";
import { startOwned } from "../system/owned";

export const postgresPort = 5432;

/** Folder of PostgreSQL's server programs, the newest version there is; undefined when none is installed. */
export function postgresBinDir(): string | undefined {
  const versions = "/usr/lib/postgresql"; // Debian's place, not on PATH
  if (!existsSync(versions)) return undefined;
  return readdirSync(versions)
    .sort((left, right) => Number(right) - Number(left))
    .map((version) => join(versions, version, "bin"))
    .find((bin) => existsSync(join(bin, "postgres")));
}

/** Folders of one server, all below `dir`. */
export function postgresFolders(dir: string): { data: string; socket: string } {
  return { data: join(dir, "data"), socket: join(dir, "socket") };
}

/** URL of the superuser through the socket. */
export function postgresAdminUrl(dir: string): string {
  return `postgresql://postgres@${encodeURIComponent(postgresFolders(dir).socket)}/postgres`;
}

/** The account a server runs as: PostgreSQL refuses to run as root. */
export async function postgresAccount(): Promise<Account> {
  return accountOf("postgres");
}

/** Creates the folders of a server for its account. */
export async function preparePostgres(dir: string, account: Account): Promise<void> {
  const { socket } = postgresFolders(dir);
  for (const folder of [dir, socket]) {
    // Who may enter the socket's folder is the superuser: connections through it need no password.
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chown(folder, account.uid, account.gid);
  }
}

/**
 * A command that creates the server's data on the first run and becomes the server.
 * @param listen address for TCP connections with a password; empty for the socket alone
 * @param changed settings of the server that differ from the stage's
 * @param bin folder of the server's programs
 */
export function postgresCommand(
  dir: string,
  listen: string,
  changed: Record<string, string> = {},
  bin = postgresBinDir(),
): string[] {
  if (bin === undefined)
    throw new Error("PostgreSQL's server is not installed. Install it: apt-get install postgresql");
  const { data, socket } = postgresFolders(dir);
  const settings = {
    listen_addresses: listen,
    port: String(postgresPort),
    unix_socket_directories: socket,
    password_encryption: "scram-sha-256",
    max_connections: "200",
    shared_buffers: "64MB",
    // The data lives as long as the stage: it need not survive a power loss.
    fsync: "off",
    synchronous_commit: "off",
    full_page_writes: "off",
    // Leaves nothing in /dev/shm when it is killed.
    dynamic_shared_memory_type: "mmap",
    log_min_messages: "warning",
    timezone: "UTC",
    ...changed,
  };
  const script = [
    "set -e",
    // Renamed when complete: a data folder is never half made.
    'if [ ! -d "$1" ]; then rm -rf "$1.new"; "$2/initdb" --pgdata="$1.new" --username=postgres --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --no-sync --no-instructions; echo "host all all all scram-sha-256" >>"$1.new/pg_hba.conf"; mv "$1.new" "$1"; fi',
    'data=$1 bin=$2; shift 2; exec "$bin/postgres" -D "$data" "$@"',
  ].join("\n");
  return [
    "/bin/sh",
    "-c",
    script,
    "postgres",
    data,
    bin,
    ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
  ];
}

/** True when the server of this folder executes statements. */
export async function postgresAnswers(dir: string): Promise<boolean> {
  const client = new Client({ connectionString: postgresAdminUrl(dir), connectionTimeoutMillis: 2000 });
  // A connection that breaks later says so here as well as in the promise.
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query("select 1");
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** A PostgreSQL server of its own, without the cluster, for tests. */
export interface PostgresServer {
  /** URL of the superuser through a Unix socket. */
  adminUrl: string;
  stop: () => Promise<void>;
}

const startTimeoutMs = 120_000;

/**
 * Starts a server with its data in `dir`, reachable through a Unix socket, and nothing else unless it is told
 * to listen. Data that is there is kept. It ends with `stop` or with this process; the folder is the caller's
 * to remove.
 * @param options.dir a short path (a socket's path is at most 107 bytes) that the account `postgres` can
 * enter, for example below /tmp
 * @param options.settings of the server, where they differ from the stage's; for example wal_level
 * @param options.bin folder of the server's programs, where it is not the installed one
 * @param options.listen an address for TCP connections with a password, and the command that runs the server
 * where it has that address
 */
export async function startPostgres(options: {
  dir: string;
  settings?: Record<string, string>;
  bin?: string | undefined;
  listen?: { address: string; within: string[] };
}): Promise<PostgresServer> {
  const { dir, settings, bin, listen } = options;
  const account = await postgresAccount();
  await preparePostgres(dir, account);
  const server = startOwned(
    "PostgreSQL",
    postgresCommand(dir, listen?.address ?? "", settings, bin),
    account,
    join(dir, "log"),
    listen?.within,
  );
  await server.ready(async () => postgresAnswers(dir), startTimeoutMs);
  // SIGINT is PostgreSQL's fast shutdown: it ends open sessions.
  return { adminUrl: postgresAdminUrl(dir), stop: async () => server.stop("SIGINT") };
}
