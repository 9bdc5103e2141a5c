import { appendFile, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { type Account } from "../system/account";
import { CommandError, run } from "../system/run";
import {
  postgresAccount,
  postgresAdminUrl,
  postgresBinDir,
  postgresFolders,
  postgresPort,
  preparePostgres,
} from "./postgres";

/**
 * What both servers need besides, so that pg_rewind can take back what one of them alone has: which
 * blocks it changed, in WAL that reaches back to the last checkpoint they had in common.
 * Without them a server that was left behind is copied again.
 */
export const rewindSettings = { wal_log_hints: "on", full_page_writes: "on", wal_keep_size: "256MB" };

/** Settings that belong to the role of a server, and come along with a copy of its files. */
const roleSettings = ["primary_conninfo", "primary_slot_name", "default_transaction_read_only"];

export interface StandbyOptions {
  /** Folder of the server that is to follow. It does not run; empty, or with data that may be lost. */
  standby: string;
  /** Folder of the server to follow, on this machine. It runs. */
  primary: string;
  /** Name of its replication slot: the primary keeps what it has not received, however long it is away. */
  slot: string;
  progress: (text: string) => void;
}

/**
 * Makes a server's data a standby of another one, to be started then: by pg_rewind where there is a past
 * in common, otherwise by pg_basebackup. Connections go through the primary's socket, without a password.
 */
export async function makeStandby({ standby, primary, slot, progress }: StandbyOptions): Promise<void> {
  const account = await postgresAccount();
  await preparePostgres(standby, account);
  const { data } = postgresFolders(standby);
  const source = `host=${postgresFolders(primary).socket} port=${postgresPort} user=postgres`;
  await prepareSource(primary, slot);
  try {
    await runAs(account, "pg_rewind", [
      `--target-pgdata=${data}`,
      `--source-server=${source} dbname=postgres`,
      "--write-recovery-conf",
      "--no-sync",
    ]);
    progress("rewound by pg_rewind");
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    progress(`all is copied by pg_basebackup: ${error.message}`);
    const copy = `${data}.new`;
    await rm(copy, { recursive: true, force: true });
    await runAs(account, "pg_basebackup", [
      `--pgdata=${copy}`,
      `--dbname=${source}`,
      "--checkpoint=fast",
      "--wal-method=stream",
      "--write-recovery-conf",
      "--no-sync",
    ]);
    // Renamed when complete: a data folder is never half made.
    await rm(data, { recursive: true, force: true });
    await rename(copy, data);
  }
  await setRole(
    data,
    `primary_conninfo = '${source} application_name=${slot}'\nprimary_slot_name = '${slot}'\n`,
  );
}

async function prepareSource(primary: string, slot: string): Promise<void> {
  const client = new Client({ connectionString: postgresAdminUrl(primary) });
  await client.connect();
  try {
    // Until its first checkpoint a promoted server's control file says that it is on the timeline before:
    // pg_rewind would find nothing to do.
    await client.query("CHECKPOINT");
    await client.query(
      "SELECT pg_create_physical_replication_slot($1, true) WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1)",
      [slot],
    );
  } finally {
    await client.end();
  }
}

/** Both ways bring the primary's own settings along, among them whom it once followed. */
async function setRole(data: string, settings: string): Promise<void> {
  const file = join(data, "postgresql.auto.conf");
  const lines = (await readFile(file, "utf8")).split("\n");
  await writeFile(
    file,
    lines.filter((line) => !roleSettings.some((name) => line.startsWith(name))).join("\n"),
  );
  await appendFile(file, settings);
}

/** PostgreSQL's programs refuse to run as root. */
async function runAs({ uid, gid }: Account, program: string, args: string[]): Promise<void> {
  const bin = postgresBinDir();
  if (bin === undefined)
    throw new Error("PostgreSQL's server is not installed. Install it: apt-get install postgresql");
  const identity =
    process.getuid?.() === 0 ? ["--reuid", String(uid), "--regid", String(gid), "--clear-groups"] : [];
  await run("setpriv", [...identity, "--", join(bin, program), ...args], { cwd: "/" });
}
