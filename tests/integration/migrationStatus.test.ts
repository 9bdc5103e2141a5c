import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect } from "chai";
import { listMigrations, planMigrations } from "@bluegreen/release";
import { connected, reading } from "@bluegreen/release/postgres/appDatabase";
import { readAppSessions } from "@bluegreen/release/migrations/contractGate";
import { lastSwitch, recordSwitch } from "@bluegreen/release/migrations/switches";
import { repositoryDir } from "../../local/paths";
import { query, type TestDatabases } from "../../local/testing/database";
import { withUser, type MigrationFolder } from "./migrationFolder";
import { withMigrationFixture } from "./migrationFixture";

describe("Where migrations stand, on a real PostgreSQL", () => {
  let databases: TestDatabases;
  let migrations: MigrationFolder;
  let url: string;
  withMigrationFixture(async (fixture) => {
    ({ databases, migrations, url } = fixture);
    await migrations.write(
      "0001_one.sql",
      "-- phase: expand\nCREATE TABLE one (id int PRIMARY KEY, old text, new text)",
    );
    await migrations.write("0002_drop_old.sql", "-- phase: contract\nALTER TABLE one DROP COLUMN old");
  });

  const status = (...args: string[]) =>
    spawnSync(
      process.execPath,
      [
        join(repositoryDir, "cli", "bluegreen.mjs"),
        "migrations",
        "status",
        "--url-from",
        "SOME_URL",
        "--folder",
        migrations.folder,
        ...args,
      ],
      {
        encoding: "utf8",
        env: { ...process.env, SOME_URL: url, NO_COLOR: "1" },
      },
    );
  const columns = async () =>
    (
      await query(
        url,
        "SELECT attname FROM pg_attribute WHERE attrelid = 'one'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
      )
    ).map(({ attname }) => attname);

  it("is shown with what the next update would execute, and nothing is touched", async () => {
    const { stdout, status: code } = status("--sql");
    expect(code).to.equal(0);
    expect(stdout)
      .to.match(/^0001 {2}one {7}expand {4}due {6}with the next pulumi up$/m)
      .and.match(/^0002 {2}drop_old {2}contract {2}waiting {2}a contract migration waits/m);
    expect(stdout)
      .to.contain("0001_one.sql, in one transaction:\n-- phase: expand\nCREATE TABLE one")
      .and.match(/^1 due, 1 waiting$/m)
      .and.not.contain("DROP COLUMN");
    expect(
      await query(url, "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"),
    ).to.deep.equal([]);
  });

  it("ends with 1 when a migration is refused, and with 2 when nothing can be read, without the URL's password", async () => {
    await migrations.run(url);
    await migrations.write("0001_one.sql", "-- phase: expand\nSELECT 1");
    const refused = status("--json");
    expect(refused.status).to.equal(1);
    expect(JSON.parse(refused.stdout)).to.have.nested.property("migrations[0].state", "refused");
    url = "postgres://somebody:hunter2@127.0.0.1:1/nowhere";
    const unread = status();
    expect(unread.status).to.equal(2);
    expect(unread.stderr).to.contain("ECONNREFUSED").and.not.contain("hunter2");
  });

  it("lets contract migrations come in their order where nobody needs the old form", async () => {
    // Could not come before the one that waits elsewhere.
    await migrations.write("0003_more.sql", "-- phase: expand\nALTER TABLE one ADD COLUMN old int");
    const all = listMigrations(migrations.folder);
    expect((await migrations.run(url, { contractUpTo: "0003" })).applied).to.deep.equal([
      "0001",
      "0002",
      "0003",
    ]);
    expect(await columns()).to.deep.equal(["id", "new", "old"]);
    expect((await planMigrations(url, all)).map(({ state }) => state)).to.deep.equal([
      "applied",
      "applied",
      "applied",
    ]);
  });

  it("keeps a contract migration that is younger than the one whose time has come", async () => {
    await migrations.write("0003_more.sql", "-- phase: expand\nALTER TABLE one ADD COLUMN more int");
    await migrations.write("0004_drop_new.sql", "-- phase: contract\nALTER TABLE one DROP COLUMN new");
    expect((await migrations.run(url, { contractUpTo: "0002" })).waiting).to.deep.equal(["0004"]);
    expect(await columns()).to.deep.equal(["id", "new", "more"]);
  });

  it("notes a switch once, and tells its age by the database's clock", async () => {
    await migrations.run(url);
    const note = (color: "blue" | "green", template: string) =>
      connected(url, (db) => recordSwitch(db, { color, version: `v-${template}`, template }));
    const last = () => reading(url, lastSwitch);
    expect(await last()).to.equal(undefined);
    await note("blue", "a");
    await note("blue", "a");
    await query(url, "UPDATE schema_switches SET switched_at = clock_timestamp() - interval '90 minutes'");
    expect(await last()).to.deep.include({ color: "blue", version: "v-a", template: "a" });
    expect((await last())?.hoursAgo).to.be.within(1.5, 1.6);
    await note("green", "b");
    await note("blue", "a");
    expect(await query(url, "SELECT color FROM schema_switches ORDER BY id")).to.deep.equal([
      { color: "blue" },
      { color: "green" },
      { color: "blue" },
    ]);
    expect((await last())?.hoursAgo).to.be.lessThan(0.1);
  });

  it("sees the sessions of the app's role in this database, and leaves its own out", async () => {
    const elsewhere = await databases.fresh();
    await withUser(url, () =>
      withUser(elsewhere, async () => {
        const sessions = await reading(url, (db) => readAppSessions(db, ["postgres"]));
        expect(sessions.map(({ application, user }) => `${user}: ${application}`)).to.deep.equal([
          "postgres: the app",
        ]);
        expect(await reading(url, (db) => readAppSessions(db, ["nobody"]))).to.deep.equal([]);
      }),
    );
  });
});
