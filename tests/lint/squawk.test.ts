import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { expect } from "chai";
import { lint } from "@bluegreen/release/lint/lint";
import { repositoryDir } from "../../local/paths";
import { cases, type Case } from "./cases";
import { lintCases } from "./lintCases";
import { samples } from "./samples";

/** Matters of style and of the runner, which sets time-outs and runs nothing twice. */
const otherMatters = [
  "prefer-robust-stmts",
  "require-lock-timeout",
  "require-statement-timeout",
  "prefer-text-field",
  "prefer-bigint-over-int",
  "prefer-bigint-over-smallint",
  "prefer-identity",
  "prefer-timestamp-tz",
];

/** Where squawk warns and the linter finds nothing, by squawk's rule: why. */
const decided: Record<string, string> = {
  "renaming-column": "of a table that the same file has made",
  "renaming-table": "of a table that the same file has made",
  "ban-drop-column": "of a table or column that the same file has made",
  "ban-drop-table": "of a table that the same file has made",
  "adding-required-field": "of a table that the same file has made",
  "adding-not-nullable-field": "of a table that the same file has made",
  "ban-drop-not-null": "of a table that the same file has made",
  "require-concurrent-index-deletion": "of a table that the same file has made",
  "require-concurrent-index-creation":
    "of a relation that the same file has made, or ON ONLY a partitioned table, which takes no other",
  "changing-column-type":
    "of a table or column that the same file has made, or a type that every value of the old one fits",
  "adding-field-with-default":
    "the default is the same for every row, by PostgreSQL's catalog, or the column is VIRTUAL: no row is rewritten",
  "adding-foreign-key-constraint":
    "of a new column that is NULL in every row: PostgreSQL looks at none, and locks the other table for a moment",
  "constraint-missing-not-valid": "NOT ENFORCED: nothing is looked at",
  "require-enum-value-ordering": "a matter of style",
  "ban-concurrent-index-creation-in-transaction":
    "the header says that there is no transaction, which squawk does not read",
  "ban-create-domain-with-constraint": "a column of it is what rewrites a table: domain-column",
};

/**
 * A second opinion: it prints what it leaves alone, and fails where it sees what the linter does not and
 * nobody has decided on.
 */
describe("squawk, on the same SQL", () => {
  const folder = mkdtempSync(join(tmpdir(), "bg-squawk-"));
  after(() => {
    rmSync(folder, { recursive: true });
  });

  const ask = (files: string[]) => {
    const squawk = join(dirname(require.resolve("squawk-cli/package.json")), "js", "bin", "squawk");
    const { stdout, stderr, error } = spawnSync(
      process.execPath,
      [
        squawk,
        "--reporter",
        "json",
        "--assume-in-transaction",
        `--exclude=${otherMatters.join(",")}`,
        ...files,
      ],
      { encoding: "utf8", maxBuffer: 100_000_000 },
    );
    expect(error, stderr).to.equal(undefined);
    return JSON.parse(stdout) as { file: string; rule_name: string }[];
  };

  it("finds nothing in this project's own migrations either", () => {
    const own = join(repositoryDir, "migrations");
    const files = readdirSync(own).map((file) => join(own, file));
    expect(files).not.to.be.empty;
    expect(ask(files).map(({ file, rule_name }) => `${basename(file)}: ${rule_name}`)).to.deep.equal([]);
  });

  it("sees nothing that the linter does not, unless it is decided", async function () {
    const texts: Case[] = [
      ...Object.values(cases).flatMap(({ bad, good }) => [...bad, ...good]),
      ...Object.values(lintCases).flat(),
      ...samples.map((sql) => ({ sql })),
    ];
    const asked = texts.map((each, index) => ({
      ...each,
      sql: each.sql.replaceAll("‸", ""),
      file: `all-${index}.sql`,
    }));
    for (const { file, sql } of asked) writeFileSync(join(folder, file), sql);
    const warnings = ask(asked.map(({ file }) => join(folder, file)));
    const differing = new Map<string, string>();
    for (const { file, sql, noTransaction, before = [] } of asked) {
      const earlier = before.map((text, index) => ({
        file: `000${index + 1}.sql`,
        sql: `-- phase: contract\n${text}`,
      }));
      const found = await lint([
        ...earlier,
        { file, sql: `-- phase: expand\n${noTransaction ? "-- no-transaction\n" : ""}${sql}` },
      ]);
      if (!found.some((finding) => finding.file === file))
        for (const warning of warnings.filter((each) => basename(each.file) === file))
          differing.set(warning.rule_name, sql);
    }
    expect([...differing].filter(([rule]) => decided[rule] === undefined)).to.deep.equal([]);
    expect(
      Object.keys(decided).filter((rule) => !differing.has(rule)),
      "decided, and not so any more",
    ).to.deep.equal([]);
  });

  it("answers, and what it leaves alone is printed", function () {
    const asked = Object.entries(cases).flatMap(([rule, { bad }]) =>
      bad.map(({ sql, noTransaction }, index) => ({
        rule,
        sql: sql.replaceAll("‸", ""),
        noTransaction,
        file: `${rule}-${index}.sql`,
      })),
    );
    for (const { file, sql } of asked) writeFileSync(join(folder, file), sql);
    const warnings = ask(asked.map(({ file }) => join(folder, file)));
    expect(warnings).not.to.be.empty;
    const answered = new Set(warnings.map(({ file }) => basename(file)));
    const silent = asked.filter(({ file }) => !answered.has(file));
    const rules = [...new Set(silent.map(({ rule }) => rule))].map(
      (name) =>
        `${name} ${silent.filter(({ rule }) => rule === name).length}/${cases[name]?.bad.length ?? 0}`,
    );
    console.log(`      silent on ${silent.length} of ${asked.length}: ${rules.join(", ")}`);
    const unread = new Set(
      warnings.filter(({ rule_name }) => rule_name === "syntax-error").map(({ file }) => basename(file)),
    );
    for (const { sql } of asked.filter(({ file }) => unread.has(file)))
      console.log(`      cannot read: ${sql}`);
  });
});
