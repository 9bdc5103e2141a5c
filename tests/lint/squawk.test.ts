import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { expect } from "chai";
import { cases } from "./cases";

/** Matters of style and of the runner, which sets time-outs and runs nothing twice. */
const otherMatters = ["prefer-robust-stmts", "require-lock-timeout", "require-statement-timeout", "prefer-text-field", "prefer-bigint-over-int", "prefer-bigint-over-smallint", "prefer-identity", "prefer-timestamp-tz"];

/** A second opinion: it prints where the two differ and fails only when it has not been asked. */
describe("squawk, on the same SQL", () => {
  const folder = mkdtempSync(join(tmpdir(), "bg-squawk-"));
  after(() => {
    rmSync(folder, { recursive: true });
  });

  it("answers, and what it leaves alone is printed", function () {
    this.timeout(60_000);
    const asked = Object.entries(cases).flatMap(([rule, { bad }]) => bad.map(({ sql, noTransaction }, index) => ({ rule, sql: sql.replaceAll("‸", ""), noTransaction, file: `${rule}-${index}.sql` })));
    for (const { file, sql } of asked) writeFileSync(join(folder, file), sql);
    const squawk = join(dirname(require.resolve("squawk-cli/package.json")), "js", "bin", "squawk");
    const { stdout, stderr, error } = spawnSync(process.execPath, [squawk, "--reporter", "json", "--assume-in-transaction", `--exclude=${otherMatters.join(",")}`, ...asked.map(({ file }) => join(folder, file))], { encoding: "utf8", maxBuffer: 100_000_000 });
    expect(error, stderr).to.equal(undefined);
    const warnings = JSON.parse(stdout) as { file: string; rule_name: string }[];
    expect(warnings, stderr).not.to.be.empty;
    const answered = new Set(warnings.map(({ file }) => basename(file)));
    const silent = asked.filter(({ file }) => !answered.has(file));
    const rules = [...new Set(silent.map(({ rule }) => rule))].map((name) => `${name} ${silent.filter(({ rule }) => rule === name).length}/${cases[name]?.bad.length ?? 0}`);
    console.log(`      silent on ${silent.length} of ${asked.length}: ${rules.join(", ")}`);
    const unread = new Set(warnings.filter(({ rule_name }) => rule_name === "syntax-error").map(({ file }) => basename(file)));
    for (const { sql } of asked.filter(({ file }) => unread.has(file))) console.log(`      cannot read: ${sql}`);
  });
});
