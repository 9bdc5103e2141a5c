import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";

const program = join(__dirname, "..", "..", "cli", "bluegreen.mjs");

describe("bluegreen lint", function () {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "bg-lint-"));
    mkdirSync(join(folder, "migrations"));
    mkdirSync(join(folder, "clean"));
    const write = (name: string, sql: string) => {
      writeFileSync(join(folder, name), sql);
    };
    write("clean/0001_a.sql", "-- phase: expand\nCREATE TABLE t (key int PRIMARY KEY);\n");
    write("clean/0002_b.sql", "-- phase: backfill\nUPDATE t SET c = 1 WHERE key > 1 AND key <= 9;\n");
    write("migrations/0010_b.sql", "-- phase: expand\nDROP TABLE b;\n");
    write("migrations/0009_a.sql", "-- phase: expand\nDROP TABLE a;\n");
    write("migrations/notes.txt", "no SQL");
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  function run(...args: string[]) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, "lint", ...args], {
      cwd: folder,
      encoding: "utf8",
      env: { ...process.env, FORCE_COLOR: "0", NO_COLOR: "1" },
    });
    return { status, stdout, stderr };
  }

  it("reads migrations/ in the order of ids and ends with 1 when something is found", () => {
    const { status, stdout } = run();
    expect(status).to.equal(1);
    expect(stdout.match(/^\S+:\d+:\d+ {2}\S+/gm)).to.deep.equal([
      "migrations/0009_a.sql:2:1  drop-table",
      "migrations/0010_b.sql:2:1  drop-table",
    ]);
    expect(stdout).to.contain("2 findings in 2 migrations");
  });

  it("ends with 0 when nothing is found", () => {
    expect(run("clean")).to.include({ status: 0, stdout: "0 findings in 2 migrations\n" });
  });

  it("checks one file with what those before it have made, and reports that one", () => {
    expect(run("clean/0002_b.sql")).to.include({ status: 0, stdout: "0 findings in 1 migration\n" });
    const { stdout } = run("./migrations/0010_b.sql", "clean/0001_a.sql");
    expect(stdout).to.contain("1 finding in 2 migrations").and.not.to.contain("0009_a");
  });

  it("prints JSON and workflow annotations", () => {
    for (const args of [["--json"], ["--format", "json"]]) {
      const { status, stdout } = run(...args);
      expect(status).to.equal(1);
      expect(JSON.parse(stdout)).to.have.property("findings").with.length(2);
    }
    expect(run("--format", "github").stdout).to.match(
      /^::error file=migrations\/0009_a\.sql,line=2,col=1,title=drop-table::.*\n::error file=migrations\/0010_b\.sql,.*\n$/,
    );
    expect(run("--format", "github", "clean")).to.include({ status: 0, stdout: "" });
  });

  it("ends with 2 for a wrong command, saying what is right", () => {
    const missing = run("nothing.sql");
    expect(missing.status).to.equal(2);
    expect(missing.stderr).to.contain('"nothing.sql" was refused').and.to.contain("next:");
    expect(run("migrations/notes.txt").status).to.equal(2);
    expect(run("--format", "xml").status).to.equal(2);
    expect(run("--wrong").status).to.equal(2);
    expect(run("--help")).to.deep.include({ status: 0 });
    expect(run("--help").stdout).to.contain("Exit codes: 0 nothing found, 1 findings, 2");
  });
});
