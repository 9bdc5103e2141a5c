import { expect } from "chai";
import { poll } from "@bluegreen/release";
import { reading } from "@bluegreen/release/postgres/appDatabase";
import { readApplied } from "@bluegreen/release/migrations/records";
import { failureOf } from "../support/read";
import { query, startDatabases, type TestDatabases } from "../../local/testing/database";
import { makeFolder, type MigrationFolder } from "./migrationFolder";
import { preparePgbouncer, type Pgbouncer } from "./pgbouncer";

describe("Migrations through PgBouncer", () => {
  let databases: TestDatabases;
  let migrations: MigrationFolder;
  let pgbouncer: Pgbouncer;
  before(async function () {
    pgbouncer = await preparePgbouncer();
    databases = await startDatabases();
    migrations = await makeFolder();
    await migrations.write("0001_one.sql", "-- phase: expand\nCREATE TABLE one (id int)");
  });
  after(async () => {
    await databases.stop();
    await pgbouncer.remove();
    await migrations.remove();
  });

  it("are refused in transaction mode, where the lock would not hold, and leave no lock behind", async () => {
    const url = await databases.fresh();
    const pooler = await pgbouncer.start(databases.adminUrl, "transaction");
    try {
      const pooled = pooler.urlOf(url);
      await poll(() => query(pooled, "SELECT 1").catch(() => undefined), { timeoutMs: 300_000 });
      expect(await failureOf(migrations.run(pooled)))
        .to.contain("a pooler in transaction mode is between")
        .and.contain("direct-url");
      expect(await query(url, "SELECT 1 FROM pg_locks WHERE locktype = 'advisory'")).to.deep.equal([]);
      expect(await query(url, "SELECT to_regclass('schema_migrations') AS made")).to.deep.equal([
        { made: null },
      ]);
    } finally {
      await pooler.stop();
    }
  });

  it("leave the sessions that it lends out as they were, where they were only read", async () => {
    const url = await databases.fresh();
    const pooler = await pgbouncer.start(databases.adminUrl, "transaction");
    try {
      const pooled = pooler.urlOf(url);
      await poll(() => query(pooled, "SELECT 1").catch(() => undefined), { timeoutMs: 300_000 });
      const [before] = await query(
        pooled,
        "SELECT pg_backend_pid() AS pid, current_setting('search_path') AS path",
      );
      expect(await reading(pooled, readApplied)).to.deep.equal([]);
      expect(
        await query(pooled, "SELECT pg_backend_pid() AS pid, current_setting('search_path') AS path"),
      ).to.deep.equal([before]);
    } finally {
      await pooler.stop();
    }
  });

  it("are applied in session mode", async () => {
    const url = await databases.fresh();
    const pooler = await pgbouncer.start(databases.adminUrl, "session");
    try {
      await poll(() => query(pooler.urlOf(url), "SELECT 1").catch(() => undefined), { timeoutMs: 300_000 });
      expect((await migrations.run(pooler.urlOf(url))).applied).to.deep.equal(["0001"]);
    } finally {
      await pooler.stop();
    }
  });
});
