import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { expect } from "chai";
import { repositoryDir } from "../../local/paths";
import { cases } from "./cases";

/** Matters of style and of the runner, which sets time-outs and runs nothing twice. */
const otherMatters = ["prefer-robust-stmts", "require-lock-timeout", "require-statement-timeout", "prefer-text-field", "prefer-bigint-over-int", "prefer-bigint-over-smallint", "prefer-identity", "prefer-timestamp-tz"];

/** A second opinion: it prints where the two differ and fails only when it has not been asked. */
describe("squawk, on the same SQL", () => {
  const folder = mkdtempSync(join(tmpdir(), "bg-squawk-"));
  after(() => {
    rmSync(folder, { recursive: true });
  });

  const ask = (files: string[]) => {
    const squawk = join(dirname(require.resolve("squawk-cli/package.json")), "js", "bin", "squawk");
    const { stdout, stderr, error } = spawnSync(process.execPath, [squawk, "--reporter", "json", "--assume-in-transaction", `--exclude=${otherMatters.join(",")}`, ...files], { encoding: "utf8", maxBuffer: 100_000_000 });
    expect(error, stderr).to.equal(undefined);
    return JSON.parse(stdout) as { file: string; rule_name: string }[];
  };

  it("finds nothing in this project's own migrations either", () => {
    const own = join(repositoryDir, "migrations");
    const files = readdirSync(own).map((file) => join(own, file));
    expect(files).not.to.be.empty;
    expect(ask(files).map(({ file, rule_name }) => `${basename(file)}: ${rule_name}`)).to.deep.equal([]);
  });

  it("answers, and what it leaves alone is printed", function () {
    this.timeout(60_000);
    const asked = Object.entries(cases).flatMap(([rule, { bad }]) => bad.map(({ sql, noTransaction }, index) => ({ rule, sql: sql.replaceAll("‸", ""), noTransaction, file: `${rule}-${index}.sql` })));
    for (const { file, sql } of asked) writeFileSync(join(folder, file), sql);
    const warnings = ask(asked.map(({ file }) => join(folder, file)));
    expect(warnings).not.to.be.empty;
    const answered = new Set(warnings.map(({ file }) => basename(file)));
    const silent = asked.filter(({ file }) => !answered.has(file));
    const rules = [...new Set(silent.map(({ rule }) => rule))].map((name) => `${name} ${silent.filter(({ rule }) => rule === name).length}/${cases[name]?.bad.length ?? 0}`);
    console.log(`      silent on ${silent.length} of ${asked.length}: ${rules.join(", ")}`);
    const unread = new Set(warnings.filter(({ rule_name }) => rule_name === "syntax-error").map(({ file }) => basename(file)));
    for (const { sql } of asked.filter(({ file }) => unread.has(file))) console.log(`      cannot read: ${sql}`);
  });
});
