import { expect } from "chai";
import { allPhases } from "@bluegreen/release/lint/rule";
import { formatAsJson, formatForGithub, formatForPeople } from "@bluegreen/release/lint/format";
import { lint, type Finding } from "@bluegreen/release/lint/lint";

const expand = "-- phase: expand\n";
const plain = { bold: (text: string) => text, dim: (text: string) => text };

const lintOne = (sql: string, file = "0001_x.sql") => lint([{ file, sql }]);
const summary = (findings: Finding[]) =>
  findings.map(({ rule, line, column }) => `${rule} ${line}:${column}`);

describe("A migration's file", () => {
  it("is found with a syntax error at its place, counted in characters", async () => {
    expect(summary(await lintOne(`${expand}SELECT 'äöü 🎉';\n  SELECT '🎉', FROM t;`))).to.deep.equal([
      "syntax-error 3:15",
    ]);
    expect(summary(await lintOne(`${expand}SELECT (`))).to.deep.equal(["syntax-error 2:9"]);
    expect(summary(await lintOne(`${expand}\\i other.sql`))).to.deep.equal(["syntax-error 2:1"]);
  });

  it("has its columns right after text that is not ASCII, in the line and before it", async () => {
    expect(summary(await lintOne(`${expand}-- Größe 🎉\n/* naïve */ DROP TABLE t;`))).to.deep.equal([
      "drop-table 3:13",
    ]);
    expect(
      summary(await lintOne(`${expand}SELECT '日本語🎉'; ALTER TABLE "Größe" ADD "ä" int, DROP b;`)),
    ).to.deep.equal(["drop-column 2:49"]);
    expect((await lintOne(`${expand}SELECT '日本語🎉'; DROP TABLE t;\r\n`))[0]?.excerpt).to.equal(
      "SELECT '日本語🎉'; DROP TABLE t;",
    );
  });

  it("is found without a header, and with one that says nothing known", async () => {
    expect(summary(await lintOne("DROP TABLE t;"))).to.deep.equal(["header 1:1"]);
    expect(summary(await lintOne("-- phase: later\nSELECT 1;"))).to.deep.equal(["header 1:1"]);
    expect(summary(await lintOne("-- phase: later\nSELECT (;"))).to.deep.equal([
      "header 1:1",
      "syntax-error 2:9",
    ]);
  });

  it("is left alone where it says that a rule does not apply, by that rule only", async () => {
    expect(
      await lintOne(`${expand}-- assure drop-table: nobody has ever used it\nDROP TABLE t;\nDROP TABLE u;`),
    ).to.deep.equal([]);
    expect(
      summary(
        await lintOne(`${expand}-- assure drop-table: nobody has ever used it\nDROP TABLE t;\nDROP VIEW v;`),
      ),
    ).to.deep.equal(["drop-view 4:1"]);
  });

  it("is found when it assures without a reason, of no known rule, or for nothing", async () => {
    expect(summary(await lintOne(`${expand}-- assure drop-table:\nDROP TABLE t;`))).to.deep.equal([
      "header 2:1",
    ]);
    expect(summary(await lintOne(`${expand}-- assure drop-tabel: never used\nDROP TABLE t;`))).to.deep.equal([
      "assurance-unknown-rule 2:1",
      "drop-table 3:1",
    ]);
    expect(summary(await lintOne(`${expand}-- assure drop-table: never used\nSELECT 1;`))).to.deep.equal([
      "assurance-unneeded 2:1",
    ]);
    // Right in contract anyway.
    expect(
      summary(await lintOne("-- phase: contract\n-- assure drop-table: never used\nDROP TABLE t;")),
    ).to.deep.equal(["assurance-unneeded 2:1"]);
  });

  it("cannot assure its syntax or its header away", async () => {
    expect(summary(await lintOne(`${expand}-- assure syntax-error: it is fine\nSELECT 1;`))).to.deep.equal([
      "assurance-unknown-rule 2:1",
    ]);
  });

  it("goes in batches from :first to :last of the key that its header names", async () => {
    const backfill = (batch: string, sql: string) => lintOne(`-- phase: backfill\n${batch}\n${sql}`);
    expect(
      await backfill(
        "-- batch: app.t by number",
        "UPDATE app.t SET c = ':first' WHERE number BETWEEN :first AND :last AND c IS NULL;",
      ),
    ).to.deep.equal([]);
    expect(
      summary(
        await backfill("-- batch: t by number", "UPDATE t SET c = 1 WHERE c BETWEEN :first AND :last;"),
      ),
    ).to.deep.equal(["unbounded-update 3:1"]);
    expect(
      await backfill(
        "-- batch: t by event, number",
        "DELETE FROM t WHERE (event, number) BETWEEN :first AND :last;",
      ),
    ).to.deep.equal([]);
    expect(
      summary(
        await backfill(
          "-- batch: t by event, number",
          "DELETE FROM t WHERE (number, event) BETWEEN :first AND :last;",
        ),
      ),
    ).to.deep.equal(["unbounded-delete 3:1"]);
    expect(
      summary(
        await backfill(
          "-- batch: t by number",
          "UPDATE t SET c = 1 WHERE number BETWEEN :first AND :last; DROP SEQUENCE s;",
        ),
      ),
    ).to.deep.equal(["drop-sequence 3:59"]);
    expect(
      summary(await backfill("", "UPDATE t SET c = 1 WHERE id BETWEEN :first AND :last;")),
    ).to.deep.equal(["syntax-error 3:37"]);
  });

  it("may drop on its way down what no version uses, and still not stop users", async () => {
    expect(await lintOne("ALTER TABLE t DROP COLUMN c;", "0001_x.down.sql")).to.deep.equal([]);
    expect(
      summary(await lintOne("-- assure reindex: tiny\n\nREINDEX TABLE t;\nDROP INDEX i;", "0001_x.down.sql")),
    ).to.deep.equal(["drop-index 4:1"]);
    expect(summary(await lintOne("-- assure reindex: tiny\nSELECT 1;", "0001_x.down.sql"))).to.deep.equal([
      "assurance-unneeded 1:1",
    ]);
  });

  it("is checked by what migrations before it have made, not by what ways down undo", async () => {
    const found = await lint([
      {
        file: "0001_a.sql",
        sql: "-- phase: contract\nALTER TABLE t ADD CONSTRAINT n CHECK (c IS NOT NULL) NOT VALID;",
      },
      { file: "0002_b.sql", sql: "-- phase: contract\nALTER TABLE t VALIDATE CONSTRAINT n;" },
      { file: "0002_b.down.sql", sql: "ALTER TABLE t DROP CONSTRAINT n;" },
      { file: "0003_c.sql", sql: "-- phase: contract\nALTER TABLE t ALTER c SET NOT NULL;" },
    ]);
    expect(found).to.deep.equal([]);
  });

  it("has its way down checked after those of the files after it", async () => {
    const found = await lint([
      { file: "0001_a.sql", sql: `${expand}CREATE TABLE t (name text PRIMARY KEY);` },
      { file: "0001_a.down.sql", sql: "DROP TABLE t;" },
      { file: "0002_b.sql", sql: `${expand}INSERT INTO t VALUES ('a');` },
      { file: "0002_b.down.sql", sql: "DELETE FROM t WHERE name = 'a';" },
    ]);
    expect(summary(found)).to.deep.equal([]);
  });

  it("made by an earlier file is not new any more", async () => {
    const found = await lint([
      { file: "0001_a.sql", sql: `${expand}CREATE TABLE t (id int);` },
      { file: "0002_b.sql", sql: `${expand}CREATE INDEX ON t (id);` },
    ]);
    expect(found.map(({ file, rule }) => `${file} ${rule}`)).to.deep.equal(["0002_b.sql create-index"]);
  });

  it("of ten thousand statements costs as much for each as of a thousand, on as many lines or on one", async function () {
    const statements = (count: number, separator: string) =>
      Array.from({ length: count }, (_, index) => `ALTER TABLE "tä${index}" ADD c int, DROP COLUMN d;`).join(
        separator,
      );
    /** Of the processor, by this process alone: what others do meanwhile costs nothing. */
    const costOf = async (sql: string) => {
      const before = process.cpuUsage();
      const found = await lintOne(expand + sql);
      const text = formatForPeople(found, 1, plain);
      const { user, system } = process.cpuUsage(before);
      return { found, text, cost: user + system };
    };
    // What is compiled and loaded once is no part of it.
    await costOf(statements(1000, "\n"));
    for (const separator of ["\n", " "]) {
      const sql = statements(10_000, separator);
      const { cost: few } = await costOf(statements(1000, separator));
      const { found: all, text, cost: many } = await costOf(sql);
      // Beside it, that one transaction locks so many tables.
      const found = all.filter(({ rule }) => rule === "drop-column");
      expect(found).to.have.length(10_000);
      expect(found.every(({ excerpt }) => excerpt.length < 200)).to.equal(true);
      const last =
        separator === "\n" ? { line: 10_001, column: 33 } : { line: 2, column: sql.lastIndexOf("DROP") + 1 };
      expect(found.at(-1)).to.include(last);
      expect(text.length).to.be.lessThan(10_000_000);
      // Ten times as much, and not a hundred times, as where each looks at all of them.
      expect(many / few).to.be.lessThan(30);
    }
  });

  it("never makes the linter throw, and is never taken for clean when it cannot be read", async function () {
    const unreadable = [
      "SELECT 1;\0 DROP TABLE t;",
      `SELECT ${"(".repeat(100_000)}`,
      `SELECT ${"(".repeat(20_000)}1${")".repeat(20_000)};`,
      `SELECT ${Array(100_000).fill("1").join("+")};`,
      Array(20_000).fill("SELECT 1").join(" UNION ALL "),
      "SELECT '",
      "SELECT $$",
      "/*",
      'SELECT "',
      "SELECT U&'\\d800'",
      "\ufeffSELECT 1;",
      "SELECT \u202e;x;",
      "ALTER TABLE t DROP",
      "\ud800'",
    ];
    for (const sql of unreadable) {
      const found = await lintOne(expand + sql);
      expect(
        found.map(({ rule }) => rule),
        sql.slice(0, 40),
      ).to.deep.equal(["syntax-error"]);
    }
    expect((await lintOne(`${expand}SELECT ${Array(100_000).fill("1").join("+")};`))[0]?.reason).to.equal(
      "an expression nested too deeply to be read",
    );
    const odd = [
      "",
      ";;;",
      "-- phase: expand",
      "\r\n\r\n",
      "SELECT '\ud800';",
      "ALTER TABLE t;".replace(" t", " t ADD c int"),
      `UPDATE t SET c = 1 WHERE ${"(a AND ".repeat(1_000)}b${")".repeat(1_000)};`,
      `UPDATE t SET c = 1 WHERE ${Array(50_000).fill("id = id").join(" AND ")};`,
      "DROP TABLE a.b.c.d;",
      'ALTER TABLE "a""b\nc" DROP COLUMN "x\u001b[2J";',
      "CLUSTER; REINDEX DATABASE x; VACUUM FULL; LOCK a, b, c;",
      "ALTER TABLE __proto__ DROP COLUMN constructor;",
      "-- assure __proto__: x\nSELECT 1;",
    ];
    for (const sql of odd)
      for (const phase of allPhases)
        for (const file of ["0001_x.sql", "0001_x.down.sql"])
          await lintOne(`-- phase: ${phase}\n${sql}`, file);
  });
});

describe("What the linter says", () => {
  const hostile = `${expand}ALTER TABLE t DROP COLUMN "a\u001b[2J\n::error::forged\u202e%0A";`;

  it("holds place, rule, reason, line and recipe, in text", async () => {
    const text = formatForPeople(await lintOne(`${expand}\tALTER TABLE t DROP COLUMN c;`), 1, plain);
    for (const part of [
      "0001_x.sql:2:16  drop-column (expand)",
      "the live version still reads",
      "  2 |  ALTER TABLE t DROP COLUMN c;",
      "    ALTER TABLE t DROP COLUMN c;",
      "1 finding in 1 migration",
      "-- assure RULE: REASON",
    ])
      expect(text).to.contain(part);
  });

  it("is one workflow command for each finding, whatever the file holds", async () => {
    const found = await lintOne(hostile, "migrations/0001_a,b:c.sql");
    expect(found).to.have.length(1);
    const text = formatForGithub(found);
    expect(text).to.match(
      /^::error file=migrations\/0001_a%2Cb%3Ac\.sql,line=2,col=15,title=drop-column::the live version still .*%0Ainstead:%0A.*DROP COLUMN "a.*%250A";$/,
    );
    expect(text).not.to.contain("\n");
  });

  it("moves no cursor and forges no line", async () => {
    const findings = [...(await lintOne(hostile)), ...(await lintOne(`${expand}SELECT \u001b;`))];
    expect(findings.map(({ rule }) => rule)).to.deep.equal(["drop-column", "syntax-error"]);
    for (const text of [formatForPeople(findings, 2, plain), formatForGithub(findings)]) {
      expect(text).not.to.match(/[^\P{Cc}\n]|\u202e/u);
      expect(text).not.to.match(/^::error::forged/m);
    }
  });

  it("can be read by programs", async () => {
    const { files, findings } = JSON.parse(formatAsJson(await lintOne(hostile), 1)) as {
      files: number;
      findings: Finding[];
    };
    expect(files).to.equal(1);
    expect(findings[0]).to.include({
      file: "0001_x.sql",
      line: 2,
      column: 15,
      rule: "drop-column",
      phase: "expand",
    });
  });
});
