import { rename } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { listMigrations, planMigrations } from "@bluegreen/release";
import { failureOf } from "../support/read";
import { query } from "../../local/testing/database";
import type { MigrationFolder } from "./migrationFolder";
import { withMigrationFixture } from "./migrationFixture";

describe("What is planned for a database, and what is refused, on a real PostgreSQL", () => {
  let migrations: MigrationFolder;
  let url: string;
  withMigrationFixture((fixture) => {
    ({ migrations, url } = fixture);
  });

  const plan = async () =>
    (await planMigrations(url, listMigrations(migrations.folder))).map(
      ({ id, phase, state, ...rest }) =>
        `${id} ${phase} ${state}${"why" in rest ? `: ${rest.why}` : ""}${"refusal" in rest ? `: ${rest.refusal.rule}` : ""}`,
    );
  const expand = (name: string, sql: string) => migrations.write(name, `-- phase: expand\n${sql}`);

  it("touches nothing, tables included", async () => {
    await expand("0001_one.sql", "CREATE TABLE one (id int)");
    expect(await plan()).to.deep.equal(["0001 expand due"]);
    expect(
      await query(url, "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"),
    ).to.deep.equal([]);
  });

  it("says what is applied, due and waiting; a release leaves contract migrations alone", async () => {
    await expand("0001_one.sql", "CREATE TABLE one (id int primary key, a int, b int)");
    await migrations.run(url);
    await migrations.write(
      "0002_fill.sql",
      "-- phase: backfill\n-- batch: one by id\nUPDATE one SET b = a WHERE id BETWEEN :first AND :last",
    );
    await migrations.write(
      "0003_drop.sql",
      "-- phase: contract\n-- irreversible\nALTER TABLE one DROP COLUMN a",
    );
    await expand("0004_two.sql", "CREATE TABLE two (id int)");
    const waiting =
      "0003 contract waiting: a contract migration waits until no version that needs the old form is left";
    expect(await plan()).to.deep.equal([
      "0001 expand applied",
      "0002 backfill due",
      waiting,
      "0004 expand due",
    ]);
    expect(await migrations.run(url)).to.deep.equal({
      applied: ["0002", "0004"],
      waiting: ["0003"],
      schemaVersion: "0004",
    });
    expect(await plan()).to.deep.equal([
      "0001 expand applied",
      "0002 backfill applied",
      waiting,
      "0004 expand applied",
    ]);
    expect(await query(url, "SELECT a, b FROM one")).to.deep.equal([]);
  });

  it("refuses an applied file that changed, with both checksums, and applies nothing", async () => {
    await expand("0001_one.sql", "CREATE TABLE one (id int)");
    const [before] = listMigrations(migrations.folder);
    await migrations.run(url);
    await expand("0001_one.sql", "CREATE TABLE one (id bigint)");
    await expand("0002_two.sql", "CREATE TABLE two (id int)");
    const [after] = listMigrations(migrations.folder);
    const message = await failureOf(migrations.run(url));
    expect(message)
      .to.contain(`0001_one was refused: its checksum is ${String(after?.checksum)}`)
      .and.contain(`it was applied with ${String(before?.checksum)}`)
      .and.contain("git log");
    expect(await plan())
      .to.have.length(2)
      .and.to.satisfy(([first]: string[]) => first?.startsWith("0001 expand refused: it was applied with"));
    expect(await query(url, "SELECT to_regclass('two') AS two")).to.deep.equal([{ two: null }]);
  });

  it("refuses an id below an applied one, and a new name for an applied id", async () => {
    await expand("0001_one.sql", "SELECT 1");
    await expand("0003_three.sql", "SELECT 1");
    await migrations.run(url);
    await expand("0002_two.sql", "SELECT 1");
    await rename(join(migrations.folder, "0001_one.sql"), join(migrations.folder, "0001_uno.sql"));
    expect(await failureOf(migrations.run(url)))
      .to.contain("0002_two was refused: it was never applied, and 0003_three was")
      .and.contain("append-only")
      .and.contain("0001_uno was refused: 0001 was applied as one");
  });

  it("upgrades a table of the first form in place, and gives its rows their checksums", async () => {
    await query(
      url,
      "CREATE TABLE schema_migrations (id text PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())",
    );
    await query(url, "INSERT INTO schema_migrations VALUES ('0001', 'one', '2020-01-01Z')");
    await expand("0001_one.sql", "CREATE TABLE one (id int)");
    expect(await plan()).to.deep.equal(["0001 expand applied"]);
    expect(
      await query(
        url,
        "SELECT count(*)::int AS columns FROM pg_attribute WHERE attrelid = 'schema_migrations'::regclass AND attnum > 0",
      ),
    ).to.deep.equal([{ columns: 3 }]);
    expect((await migrations.run(url)).applied).to.deep.equal([]);
    const [row] = await query(
      url,
      "SELECT checksum, phase, applied_at = '2020-01-01Z' AS kept FROM schema_migrations",
    );
    expect(row).to.deep.equal({
      checksum: listMigrations(migrations.folder)[0]?.checksum,
      phase: "expand",
      kept: true,
    });
    await expand("0001_one.sql", "CREATE TABLE one (id bigint)");
    expect(await failureOf(migrations.run(url))).to.contain("an applied file never changes");
  });

  it("refuses a file that changed between preview and update", async () => {
    await expand("0001_one.sql", "SELECT 1");
    const seen = listMigrations(migrations.folder);
    await expand("0001_one.sql", "SELECT 2");
    expect(await failureOf(migrations.run(url, { migrations: seen }))).to.contain(
      `the preview showed ${String(seen[0]?.checksum)}`,
    );
  });
});
