import { chmod, chown, mkdtemp, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { poll } from "@bluegreen/release";
import { postgresAccount } from "../../local/services/postgres";
import { startOwned } from "../../local/system/owned";
import { query, startDatabases, type TestDatabases } from "./database";
import { failure, makeFolder, type MigrationFolder } from "./migrationFolder";

const pgbouncer = "/usr/sbin/pgbouncer";

/** PgBouncer in front of a server that listens on a socket alone. */
async function startPooler(adminUrl: string, mode: "transaction" | "session"): Promise<{ urlOf(url: string): string; stop(): Promise<void> }> {
  const dir = await mkdtemp("/tmp/bg-pool-");
  const account = await postgresAccount();
  await chown(dir, account.uid, account.gid);
  await chmod(dir, 0o755);
  const settings = {
    pool_mode: mode,
    listen_addr: "",
    listen_port: "6432",
    unix_socket_dir: dir,
    auth_type: "any",
    ignore_startup_parameters: "extra_float_digits",
  };
  const lines = ["[databases]", `* = host=${decodeURIComponent(new URL(adminUrl).hostname)} port=5432 user=postgres`, "[pgbouncer]", ...Object.entries(settings).map(([name, value]) => `${name} = ${value}`)];
  await writeFile(join(dir, "pgbouncer.ini"), lines.join("\n"), { mode: 0o644 });
  const server = startOwned("PgBouncer", [pgbouncer, join(dir, "pgbouncer.ini")], account, join(dir, "log"));
  const urlOf = (url: string) => {
    const pooled = new URL(url);
    return `postgresql://postgres@${encodeURIComponent(dir)}:6432${pooled.pathname}`;
  };
  await server.ready(() => Promise.resolve(existsSync(join(dir, ".s.PGSQL.6432"))), 10_000);
  return {
    urlOf,
    stop: async () => {
      await server.stop("SIGINT");
      await rm(dir, { recursive: true, force: true });
    },
  };
}

(existsSync(pgbouncer) ? describe : describe.skip)("Migrations through PgBouncer", () => {
  let databases: TestDatabases;
  let migrations: MigrationFolder;
  before(async () => {
    databases = await startDatabases();
    migrations = await makeFolder();
    await migrations.write("0001_one.sql", "-- phase: expand\nCREATE TABLE one (id int)");
  });
  after(async () => {
    await databases.stop();
    await migrations.remove();
  });

  it("are refused in transaction mode, where the lock would not hold, and leave no lock behind", async () => {
    const url = await databases.fresh();
    const pooler = await startPooler(databases.adminUrl, "transaction");
    try {
      const pooled = pooler.urlOf(url);
      await poll(() => query(pooled, "SELECT 1").catch(() => undefined), { timeoutMs: 5000 });
      expect(await failure(migrations.run(pooled))).to.contain("a pooler in transaction mode is between").and.contain("direct-url");
      expect(await query(url, "SELECT 1 FROM pg_locks WHERE locktype = 'advisory'")).to.deep.equal([]);
      expect(await query(url, "SELECT to_regclass('schema_migrations') AS made")).to.deep.equal([{ made: null }]);
    } finally {
      await pooler.stop();
    }
  });

  it("are applied in session mode", async () => {
    const url = await databases.fresh();
    const pooler = await startPooler(databases.adminUrl, "session");
    try {
      expect((await migrations.run(pooler.urlOf(url))).applied).to.deep.equal(["0001"]);
    } finally {
      await pooler.stop();
    }
  });
});
