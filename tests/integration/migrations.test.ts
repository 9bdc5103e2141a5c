import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { listMigrations, poll, runMigrations } from "@bluegreen/release";
import { failureOf } from "../support/read";
import { query } from "../../local/testing/database";
import type { MigrationFolder } from "./migrationFolder";
import { withMigrationFixture } from "./migrationFixture";

describe("The migration runner, on a real PostgreSQL", () => {
  let migrations: MigrationFolder;
  let folder: string;
  let url: string;
  withMigrationFixture((fixture) => {
    ({ migrations, url } = fixture);
    folder = migrations.folder;
  });

  const write = (file: string, sql: string) => migrations.write(file, `-- phase: expand\n${sql}`);
  const run = (at: string, lockTimeoutMs?: number) =>
    migrations.run(at, { ...(lockTimeoutMs !== undefined && { lockTimeoutMs }) });
  const recorded = async () =>
    (await query(url, "SELECT id, name FROM schema_migrations ORDER BY id")).map(
      ({ id, name }) => `${String(id)} ${String(name)}`,
    );

  it("applies the app's own migrations to an empty database, and records each", async () => {
    const result = await runMigrations(url, {
      folder: "migrations",
      migrations: listMigrations("migrations"),
    });
    expect(result).to.deep.equal({ applied: ["0001", "0002"], waiting: [], schemaVersion: "0002" });
    await query(url, "INSERT INTO users (id, email) VALUES ('u1', 'u1@example.com')");
    expect(await query(url, "SELECT tier FROM users")).to.deep.equal([{ tier: "free" }]);
    const [columns] = await query(
      url,
      "SELECT applied_at IS NOT NULL AS stamped FROM schema_migrations LIMIT 1",
    );
    expect(columns).to.deep.equal({ stamped: true });
  });

  it("does nothing when run again", async () => {
    await write("0001_one.sql", "CREATE TABLE one (id int)");
    await run(url);
    expect(await run(url)).to.deep.equal({ applied: [], waiting: [], schemaVersion: "0001" });
  });

  it("applies only what a shorter list asks for, and never undoes what is there", async () => {
    await write("0001_one.sql", "CREATE TABLE one (id int)");
    await write("0002_two.sql", "CREATE TABLE two (id int)");
    expect(
      (await runMigrations(url, { folder, migrations: listMigrations(folder, "0001") })).applied,
    ).to.deep.equal(["0001"]);
    await run(url);
    expect(await runMigrations(url, { folder, migrations: listMigrations(folder, "0001") })).to.deep.equal({
      applied: [],
      waiting: [],
      schemaVersion: "0002",
    });
    expect(await query(url, "SELECT to_regclass('two') IS NOT NULL AS there")).to.deep.equal([
      { there: true },
    ]);
  });

  it("rolls a failing migration back whole, keeps those before it, and continues when it is corrected", async () => {
    await write("0001_one.sql", "CREATE TABLE one (id int)");
    await write("0002_two.sql", "CREATE TABLE two (id int); INSERT INTO nowhere VALUES (1)");
    const message = await failureOf(run(url));
    expect(message)
      .to.contain("Migration 0002_two failed and was rolled back")
      .and.contain('relation "nowhere" does not exist');
    expect(await query(url, "SELECT to_regclass('two') IS NULL AS gone")).to.deep.equal([{ gone: true }]);
    expect(await recorded()).to.deep.equal(["0001 one"]);
    await write("0002_two.sql", "CREATE TABLE two (id int)");
    expect((await run(url)).applied).to.deep.equal(["0002"]);
  });

  it("undoes a migration whose record cannot be written: the two are one transaction", async () => {
    await write(
      "0001_one.sql",
      "CREATE TABLE one (id int); ALTER TABLE schema_migrations RENAME TO elsewhere",
    );
    expect(await failureOf(run(url)))
      .to.contain("0001_one failed")
      .and.contain('schema_migrations" does not exist');
    expect(await query(url, "SELECT to_regclass('one') IS NULL AS gone")).to.deep.equal([{ gone: true }]);
    expect(await recorded()).to.deep.equal([]);
  });

  it("applies each migration once when twenty runs start together", async () => {
    await write("0001_one.sql", "CREATE TABLE one (id int); INSERT INTO one VALUES (1)");
    await write("0002_two.sql", "INSERT INTO one VALUES (2)");
    const results = await Promise.all(Array.from({ length: 20 }, () => run(url)));
    expect(results.flatMap(({ applied }) => applied).sort()).to.deep.equal(["0001", "0002"]);
    expect(await query(url, "SELECT count(*)::int AS n FROM one")).to.deep.equal([{ n: 2 }]);
  });

  it("names who holds the lock when it gives up waiting", async () => {
    await write("0001_slow.sql", "SELECT pg_sleep(20)");
    const slow = run(url);
    const slowEnds = failureOf(slow);
    const holder = await poll(
      async () =>
        (
          await query(
            url,
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep(20)%' AND pid <> pg_backend_pid()",
          )
        )[0],
      { timeoutMs: 300_000 },
    );
    const message = await failureOf(run(url, 500));
    expect(message)
      .to.contain("another run holds the lock")
      .and.contain(`pid ${String(holder["pid"])}`)
      .and.contain("waited 0.5 s");
    await query(url, "SELECT pg_terminate_backend($1)", [holder["pid"]]);
    expect(await slowEnds).to.contain("0001_slow failed");
    expect(await recorded()).to.deep.equal([]);
  });

  it("survives kill -9 in the middle of a migration: nothing half done, no lock left, the next run continues", async () => {
    await write("0001_one.sql", "CREATE TABLE one (id int)");
    await write("0002_two.sql", "CREATE TABLE two (id int); SELECT pg_sleep(30)");
    const script = `require("@bluegreen/release").runMigrations(process.env.URL, { folder: process.env.FOLDER, migrations: ${JSON.stringify(listMigrations(folder))} })`;
    const runner = spawn(process.execPath, ["-e", script], {
      env: { ...process.env, URL: url, FOLDER: folder },
      stdio: "ignore",
    });
    await poll(
      async () =>
        (
          await query(
            url,
            "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)%' AND pid <> pg_backend_pid()",
          )
        )[0],
      { timeoutMs: 300_000 },
    );
    const exit = once(runner, "exit");
    runner.kill("SIGKILL");
    await exit;
    await write("0002_two.sql", "CREATE TABLE two (id int)");
    // PostgreSQL notices a vanished client when the statement ends or, as an administrator does, when it is
    // ended.
    await query(
      url,
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'bluegreen migrations' AND datname = current_database()",
    );
    expect(await run(url)).to.deep.equal({ applied: ["0002"], waiting: [], schemaVersion: "0002" });
    expect(await recorded()).to.deep.equal(["0001 one", "0002 two"]);
  });

  it("says what is wrong with file names, ids used twice and unknown versions", async () => {
    await write("0001_one.sql", "SELECT 1");
    await write("0001_two.sql", "SELECT 1");
    expect(() => listMigrations(folder)).to.throw(/have the id 0001/);
    await rm(join(folder, "0001_two.sql"));
    expect(() => listMigrations(folder, "0009")).to.throw(/schemaVersion "0009" was refused[\s\S]*0001/);
    await write("add-users.sql", "SELECT 1");
    expect(() => listMigrations(folder)).to.throw(/add-users\.sql was refused/);
  });

  it("never repeats the password of a URL in an error", async () => {
    const foreign = new URL(url);
    foreign.username = "nobody";
    foreign.password = "hunter2";
    await write("0001_one.sql", "SELECT 1");
    expect(await failureOf(run(foreign.href)))
      .to.match(/nobody/)
      .and.not.contain("hunter2");
    expect(await failureOf(run("postgres://nobody:hunter2@127.0.0.1:1/none")))
      .to.match(/ECONNREFUSED/)
      .and.not.contain("hunter2");
  });
});
