import { existsSync } from "node:fs";
import { chmod, chown, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { postgresAccount } from "../../local/services/postgres";
import { startOwned } from "../../local/system/owned";
import { run } from "../../local/system/run";

/** A real PgBouncer, to be put in front of a server. */
export interface Pgbouncer {
  start(adminUrl: string, mode: "transaction" | "session"): Promise<Pooler>;
  remove(): Promise<void>;
}

export interface Pooler {
  /** The pooled URL of a database of the server. */
  urlOf(url: string): string;
  stop(): Promise<void>;
}

/**
 * Finds the program. Where it is missing it is unpacked for this suite alone: to install the package is to
 * get a system service.
 */
export async function preparePgbouncer(): Promise<Pgbouncer> {
  const installed = "/usr/sbin/pgbouncer";
  if (existsSync(installed))
    return {
      start: (adminUrl, mode) => startPooler([installed], adminUrl, mode),
      remove: () => Promise.resolve(),
    };
  const dir = await mkdtemp("/tmp/bg-pgb-");
  await chmod(dir, 0o755);
  const root = join(dir, "root");
  await mkdir(join(dir, "partial"));
  const download = () =>
    run("apt-get", [
      "install",
      "-q",
      "-y",
      "--download-only",
      "--no-install-recommends",
      "-o",
      `Dir::Cache::archives=${dir}`,
      "-o",
      "APT::Sandbox::User=root",
      "pgbouncer",
    ]);
  // The package lists of a fresh machine may be missing, or name versions that are gone.
  await download().catch(async () => {
    await run("apt-get", ["update", "-q"]);
    await download();
  });
  for (const file of (await readdir(dir)).filter((name) => name.endsWith(".deb")))
    await run("dpkg-deb", ["--extract", join(dir, file), root]);
  // What it depends on, where the machine lacks that, too.
  const lib = join(root, "usr/lib");
  const libraries = existsSync(lib) ? (await readdir(lib)).map((name) => join(lib, name)).join(":") : "";
  return {
    start: (adminUrl, mode) =>
      startPooler(["env", `LD_LIBRARY_PATH=${libraries}`, join(root, installed)], adminUrl, mode),
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}

async function startPooler(
  command: string[],
  adminUrl: string,
  mode: "transaction" | "session",
): Promise<Pooler> {
  const dir = await mkdtemp("/tmp/bg-pool-");
  const account = await postgresAccount();
  await chown(dir, account.uid, account.gid);
  const settings = [
    "[databases]",
    `* = host=${decodeURIComponent(new URL(adminUrl).hostname)} port=5432 user=postgres`,
    "[pgbouncer]",
    `pool_mode = ${mode}`,
    "listen_addr =",
    "listen_port = 6432",
    `unix_socket_dir = ${dir}`,
    "auth_type = any",
  ];
  const file = join(dir, "pgbouncer.ini");
  await writeFile(file, settings.join("\n"), { mode: 0o644 });
  const server = startOwned("PgBouncer", [...command, file], account, join(dir, "log"));
  await server.ready(() => Promise.resolve(existsSync(join(dir, ".s.PGSQL.6432"))), 10_000);
  return {
    urlOf: (url) => `postgresql://postgres@${encodeURIComponent(dir)}:6432${new URL(url).pathname}`,
    stop: async () => {
      await server.stop("SIGINT");
      await rm(dir, { recursive: true, force: true });
    },
  };
}
