import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { formatApplied, formatProgress, listMigrations, parseHeader, worthSaying } from "@bluegreen/release";
import { nextSize, batchStatement } from "@bluegreen/release/migrations/backfill";
import { failsWith } from "../support/failsWith";
import { isConcurrent, splitStatements, standsAlone } from "@bluegreen/release/sql/statements";

describe("The header of a migration", () => {
  const parse = (...lines: string[]) => parseHeader("0001_x.sql", lines.join("\n"));

  it("says phase, transaction, irreversibility, assurances and batch", () => {
    expect(parse("-- phase: expand", "SELECT 1")).to.deep.equal({
      phase: "expand",
      transaction: true,
      irreversible: false,
      assurances: [],
    });
    expect(
      parse(
        "-- Why: readers.",
        "",
        "-- phase: contract",
        "-- no-transaction",
        "-- irreversible",
        "-- assure drop-column: v2 is gone",
        "-- assure opaque: two: parts",
        "SELECT 1",
      ),
    ).to.deep.equal({
      phase: "contract",
      transaction: false,
      irreversible: true,
      assurances: [
        { rule: "drop-column", reason: "v2 is gone", line: 6 },
        { rule: "opaque", reason: "two: parts", line: 7 },
      ],
    });
    expect(parse("-- phase: backfill", "-- batch: public.users by id").batch).to.deep.equal({
      table: "public.users",
      key: ["id"],
    });
    expect(parse("-- phase: backfill", "-- batch: seats by event, row,number").batch).to.deep.equal({
      table: "seats",
      key: ["event", "row", "number"],
    });
  });

  it("ends where the SQL begins", async () => {
    expect(parse("-- phase: expand", "SELECT 1;", "-- no-transaction").transaction).to.equal(true);
    const late = () => parse("SELECT 1;", "-- phase: expand");
    expect(await failsWith("BG-MIGRATION-HEADER-INVALID", late)).to.contain(
      "0001_x.sql:1: the header has no phase",
    );
  });

  it("refuses what is misspelled, twice or in the wrong phase, by line", async () => {
    const code = "BG-MIGRATION-HEADER-INVALID";
    expect(await failsWith(code, () => parse("-- phase: shrink")))
      .to.contain('0001_x.sql:1: "-- phase: shrink"')
      .and.contain("expand, backfill, contract");
    for (const line of [
      "-- phase = expand",
      "-- no transaction",
      "-- Irreversible.",
      "-- assure drop-column",
      "-- batch: users",
      "-- batch: users by a b",
      "-- batch: users by a,",
      "-- batch: users by ,a",
    ]) {
      expect(await failsWith(code, () => parse("-- phase: expand", line), line)).to.contain("0001_x.sql:2: ");
    }
    for (const line of ["-- phase: contract", "-- batch: users by id"])
      await failsWith(code, () => parse("-- phase: expand", line), line);
  });

  it("goes with the files: a stray way down and a backfill without batches are refused", async () => {
    const folder = await mkdtemp(join(tmpdir(), "bg-header-"));
    try {
      await writeFile(join(folder, "0001_one.sql"), "-- phase: contract\n-- irreversible\nSELECT 1");
      expect(listMigrations(folder)).to.deep.equal([
        {
          id: "0001",
          name: "one",
          phase: "contract",
          checksum: "c7bcd93ccc74f2fdaa989f1ace8e470c26eaa4e2232d14528682f796c787cc37",
        },
      ]);
      await writeFile(join(folder, "0001_one.down.sql"), "SELECT 1");
      const code = "BG-MIGRATION-FILE-INVALID";
      expect(await failsWith(code, () => listMigrations(folder)))
        .to.contain("0001_one.down.sql")
        .and.contain("irreversible");
      await writeFile(join(folder, "0001_one.sql"), "-- phase: expand\nSELECT 1");
      expect(listMigrations(folder)).to.have.length(1);
      await writeFile(join(folder, "0002_two.down.sql"), "SELECT 1");
      expect(await failsWith(code, () => listMigrations(folder))).to.contain("there is no 0002_two.sql");
      await rm(join(folder, "0002_two.down.sql"));
      await writeFile(join(folder, "0002_two.sql"), "-- phase: backfill\nUPDATE users SET a = b");
      await failsWith("BG-BACKFILL-INVALID", () => listMigrations(folder));
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("The folder of migrations", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "bg-migrations-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("may be missing, empty, kept in Git by a file, or explained by one", async () => {
    expect(listMigrations(join(folder, "none"))).to.deep.equal([]);
    expect(listMigrations(folder)).to.deep.equal([]);
    await writeFile(join(folder, ".gitkeep"), "");
    await writeFile(join(folder, "README.md"), "# Migrations");
    expect(listMigrations(folder)).to.deep.equal([]);
    expect(await failsWith("BG-MIGRATION-ID-UNKNOWN", () => listMigrations(folder, "0001"))).to.contain(
      "there is no migration in",
    );
  });

  it("refuses what may be meant as a migration: SQL under another name, a folder of another tool", async () => {
    const code = "BG-MIGRATION-FILE-INVALID";
    await writeFile(join(folder, "1_add.SQL"), "-- phase: expand\nSELECT 1");
    expect(await failsWith(code, () => listMigrations(folder))).to.contain("1_add.SQL was refused");
    await rm(join(folder, "1_add.SQL"));
    await mkdir(join(folder, "20240101_init"));
    expect(await failsWith(code, () => listMigrations(folder))).to.contain("20240101_init was refused");
  });
});

describe("The statements of a migration", () => {
  it("are split by PostgreSQL's grammar, whatever is quoted in them", async () => {
    const sql =
      "-- ä;\nCREATE TABLE ö (a text DEFAULT ';');\n\nCREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN; END $$;\n/* ; */ SELECT 'é;';";
    const statements = await splitStatements("x.sql", sql);
    expect(statements.map(({ sql: text, line }) => `${line} ${text}`)).to.deep.equal([
      "2 CREATE TABLE ö (a text DEFAULT ';')",
      "4 CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN; END $$",
      "5 SELECT 'é;'",
    ]);
  });

  it("tell whether they wait instead of lock, and whether they can be in a transaction", async () => {
    const concurrent =
      "CREATE INDEX CONCURRENTLY i ON t (a); DROP INDEX CONCURRENTLY i; REINDEX INDEX CONCURRENTLY i; REFRESH MATERIALIZED VIEW CONCURRENTLY m; ALTER TABLE t DETACH PARTITION p CONCURRENTLY";
    expect((await splitStatements("x.sql", concurrent)).map(isConcurrent)).to.deep.equal([
      true,
      true,
      true,
      true,
      true,
    ]);
    const plain = await splitStatements(
      "x.sql",
      "CREATE INDEX i ON t (a); ALTER TABLE t ADD b int; VACUUM t; DO 'BEGIN END'",
    );
    expect(plain.map(isConcurrent)).to.deep.equal([false, false, false, false]);
    expect(plain.map(standsAlone)).to.deep.equal([false, false, true, true]);
  });

  it("are refused when they are not SQL, or control the transaction", async () => {
    const refusal = (sql: string) => splitStatements("x.sql", sql).then(() => "accepted", String);
    expect(await refusal("CREATE TABEL t ()"))
      .to.contain("x.sql was refused")
      .and.contain('syntax error at or near "TABEL"');
    expect(await refusal("SELECT 1;\nCOMMIT")).to.contain("x.sql:2 was refused: transaction control");
  });
});

describe("The batches of a backfill", () => {
  const bind = (sql: string) =>
    batchStatement({ path: "x.sql", sql }, { table: "users", key: ["id"] }, ["bigint"]).then(
      (text) => text,
      String,
    );

  it("get their range as two parameters of the key's type", async () => {
    expect(await bind("UPDATE users SET a = b::first WHERE id BETWEEN :first AND :last;")).to.equal(
      "UPDATE users SET a = b::first WHERE id BETWEEN $1::bigint AND $2::bigint",
    );
  });

  it("get rows as their ends when the key has several columns", async () => {
    const bindBoth = (sql: string) =>
      batchStatement({ path: "x.sql", sql }, { table: "seats", key: ["event", "number"] }, [
        "text",
        "integer",
      ]).then((text) => text, String);
    expect(await bindBoth("DELETE FROM seats WHERE (event, number) BETWEEN :first AND :last")).to.equal(
      "DELETE FROM seats WHERE (event, number) BETWEEN ($1::text, $2::integer) AND ($3::text, $4::integer)",
    );
    expect(await bindBoth("DELETE FROM seats")).to.contain(
      "UPDATE seats SET … WHERE (event, number) BETWEEN :first AND :last",
    );
  });

  it("are one statement with a range", async () => {
    expect(await bind("UPDATE users SET a = b")).to.contain("between :first and :last");
    expect(await bind("UPDATE users SET a = b WHERE id BETWEEN :first AND :last; SELECT 1")).to.contain(
      "this has 2",
    );
  });

  it("follow their own latency, without a jump and within limits", () => {
    expect([
      nextSize(1000, 50, 100),
      nextSize(1000, 1, 100),
      nextSize(1000, 125, 100),
      nextSize(1000, 9000, 100),
      nextSize(100, 9000, 100),
      nextSize(50_000, 1, 100),
    ]).to.deep.equal([2000, 2000, 800, 500, 100, 50_000]);
  });

  it("show rows, rate and remaining time", () => {
    const known = {
      migration: "0003_fill",
      rowsDone: 120_000,
      rowsTotal: 300_000,
      rowsPerSecond: 41_000.4,
      secondsLeft: 4.4,
      batchSize: 1,
    };
    expect(formatProgress(known)).to.equal(
      "0003_fill: 120,000 of about 300,000 rows, 41,000 rows/s, about 4 s left",
    );
    expect(formatProgress({ ...known, rowsTotal: undefined, secondsLeft: undefined })).to.equal(
      "0003_fill: 120,000 rows, 41,000 rows/s",
    );
  });

  it("are shown at the first, then every five seconds, and each backfill begins again", () => {
    let now = 0;
    const isWorthSaying = worthSaying(() => now);
    const shownAt = (times: number[], migration: string) =>
      times.filter((time) => {
        now = time;
        return isWorthSaying({
          migration,
          rowsDone: 1,
          rowsTotal: undefined,
          rowsPerSecond: 1,
          secondsLeft: undefined,
          batchSize: 1,
        });
      });
    expect(shownAt([100, 101, 5099, 5100, 5101, 9000, 30_000, 34_999, 35_000], "0003_fill")).to.deep.equal([
      100, 5100, 30_000, 35_000,
    ]);
    expect(shownAt([35_001, 40_000, 40_001], "0004_fill")).to.deep.equal([35_001, 40_001]);
  });

  it("are not shown when the first is all there is; an estimate that was too low hides nothing for long", () => {
    let now = 0;
    const isWorthSaying = worthSaying(() => now);
    const all = {
      migration: "0003_fill",
      rowsDone: 1000,
      rowsTotal: 1000,
      rowsPerSecond: 1,
      secondsLeft: 0,
      batchSize: 1,
    };
    expect(isWorthSaying(all)).to.equal(false);
    now = 5000;
    expect(isWorthSaying(all)).to.equal(true);
  });

  it("end with a line about all of them", () => {
    expect(formatApplied({ migration: "0003_fill", tookMs: 21_400, rows: 1_000_000 })).to.equal(
      "0003_fill: applied, 1,000,000 rows in 21 s",
    );
    expect(formatApplied({ migration: "0003_fill", tookMs: 999, rows: 0 })).to.equal(
      "0003_fill: applied, 0 rows",
    );
    expect(formatApplied({ migration: "0001_create_users", tookMs: 12, rows: undefined })).to.equal(
      "0001_create_users: applied",
    );
  });
});
