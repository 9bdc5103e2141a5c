import { expect } from "chai";
import { failureOf } from "../support/read";
import { query, type TestDatabases } from "../../local/testing/database";
import type { MigrationFolder } from "./migrationFolder";
import { withMigrationFixture } from "./migrationFixture";
import { makeSmallDisk, type SmallDisk } from "./smallDisk";

describe("Migrations on a disk that is full, on a real PostgreSQL", () => {
  let databases: TestDatabases;
  let migrations: MigrationFolder;
  let url: string;
  let disk: SmallDisk;
  withMigrationFixture(async (fixture) => {
    ({ databases, migrations, url } = fixture);
    disk = await makeSmallDisk(databases.adminUrl);
    await query(url, "CREATE TABLE other (id int)");
  });
  afterEach(async () => {
    try {
      await query(databases.adminUrl, `DROP DATABASE ${new URL(url).pathname.slice(1)} WITH (FORCE)`);
    } finally {
      await disk.remove();
    }
  });

  const records = async () =>
    (await query(url, "SELECT id FROM schema_migrations ORDER BY id")).map(({ id }) => id);
  const otherIsWritable = async () => {
    await query(url, "INSERT INTO other VALUES (1)");
  };
  /** Runs into the full disk, frees space, runs again. @returns the first run's error */
  const fillUpThenFree = async (between: () => Promise<void>) => {
    const message = await failureOf(migrations.run(url));
    await otherIsWritable();
    await between();
    await disk.free();
    await migrations.run(url);
    await otherIsWritable();
    return message;
  };

  it("roll back a transaction whole, and apply it when there is space", async () => {
    await migrations.write("0001_small.sql", "-- phase: expand\nCREATE TABLE small (id int)");
    await migrations.write(
      "0002_big.sql",
      `-- phase: expand\nCREATE TABLE big (id int, a text) TABLESPACE ${disk.tablespace};\nALTER TABLE small ADD COLUMN b int;\nINSERT INTO big SELECT n, repeat('x', 200) FROM generate_series(1, 60000) n`,
    );
    const message = await fillUpThenFree(async () => {
      expect(await records()).to.deep.equal(["0001"]);
      expect(
        await query(
          url,
          "SELECT to_regclass('big') AS big, count(*)::int AS columns FROM pg_attribute WHERE attrelid = 'small'::regclass AND attnum > 0",
        ),
      ).to.deep.equal([{ big: null, columns: 1 }]);
    });
    expect(message)
      .to.contain("Migration 0002_big failed and was rolled back")
      .and.contain("0002_big.sql:4")
      .and.contain("No space left on device");
    expect(await records()).to.deep.equal(["0001", "0002"]);
    expect(await query(url, "SELECT count(*)::int AS rows FROM big")).to.deep.equal([{ rows: 60_000 }]);
  });

  it("leave no half-built index, and do not execute again what came before it", async () => {
    await query(url, "CREATE TABLE one (id int PRIMARY KEY, a text)");
    await query(url, "INSERT INTO one SELECT n, md5(n::text) || n FROM generate_series(1, 200000) n");
    await migrations.write(
      "0001_index.sql",
      `-- phase: expand\n-- no-transaction\nINSERT INTO one VALUES (0, 'zero');\nCREATE UNIQUE INDEX CONCURRENTLY one_a ON one (a)\n  TABLESPACE ${disk.tablespace};\nUPDATE one SET a = 'nil' WHERE id = 0`,
    );
    const indexes = () =>
      query(
        url,
        "SELECT indexrelid::regclass::text AS name, indisvalid AS valid FROM pg_index WHERE indrelid = 'one'::regclass AND NOT indisprimary",
      );
    const message = await fillUpThenFree(async () => {
      expect(await records()).to.deep.equal([]);
      expect(await indexes()).to.deep.equal([]);
      expect(await query(url, "UPDATE one SET a = a || '!' WHERE id = 0 RETURNING a")).to.deep.equal([
        { a: "zero!" },
      ]);
    });
    expect(message)
      .to.contain("Migration 0001_index failed and stopped at statement 2 of 3")
      .and.contain("0001_index.sql:4")
      .and.contain("No space left on device");
    expect(await records()).to.deep.equal(["0001"]);
    expect(await indexes()).to.deep.equal([{ name: "one_a", valid: true }]);
    expect(await query(url, "SELECT a FROM one WHERE id = 0")).to.deep.equal([{ a: "nil" }]);
  });

  it("keep a backfill's committed batches, and continue after them", async () => {
    await query(
      url,
      `CREATE TABLE one (id int PRIMARY KEY, a text, done int NOT NULL DEFAULT 0) TABLESPACE ${disk.tablespace}`,
    );
    await query(url, "INSERT INTO one SELECT n, repeat('x', 200) FROM generate_series(1, 15000) n");
    await migrations.write(
      "0001_fill.sql",
      "-- phase: backfill\n-- batch: one by id\nUPDATE one SET done = done + 1 WHERE id BETWEEN :first AND :last",
    );
    const message = await fillUpThenFree(async () => {
      expect(await records()).to.deep.equal([]);
      const [{ rows } = { rows: 0 }] = await query(
        url,
        "SELECT count(*)::int AS rows FROM one WHERE done = 1",
      );
      expect(rows).to.be.greaterThan(999).and.lessThan(15_000);
      expect(await query(url, "SELECT rows_done::int AS rows FROM schema_backfills")).to.deep.equal([
        { rows },
      ]);
    });
    expect(message)
      .to.contain("Migration 0001_fill failed and stopped; the batches that were committed stay")
      .and.contain("0001_fill.sql")
      .and.contain("No space left on device");
    expect(await records()).to.deep.equal(["0001"]);
    expect(await query(url, "SELECT DISTINCT done FROM one")).to.deep.equal([{ done: 1 }]);
  });
});
