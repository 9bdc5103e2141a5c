import { expect } from "chai";
import { lint, type Finding, type SqlFile } from "@bluegreen/release/lint/lint";
import { rules } from "@bluegreen/release/lint/registry";
import type { Phase } from "@bluegreen/release/lint/rule";
import { cases } from "./cases";
import { lintCases } from "./lintCases";
import { recipeFiles } from "./recipeFiles";

interface Given {
  sql: string;
  noTransaction?: true;
  before?: string[];
  phase?: Phase;
}

/** All SQL of these tests that is refused, with the phase in which it is. */
const refused: Given[] = [
  ...Object.entries(cases).flatMap(([name, { bad }]) =>
    (rules.find((rule) => rule.name === name)?.phases ?? []).flatMap((phase) =>
      bad.map((each) => ({ ...each, sql: each.sql.replaceAll("‸", ""), phase })),
    ),
  ),
  ...Object.values(lintCases).flatMap((each) => each.filter(({ is }) => is === "refused")),
  ...rules.flatMap(({ example, before, phases }) =>
    phases.map((phase) => ({ sql: example, ...(before === undefined ? {} : { before: [before] }), phase })),
  ),
];

async function lintAfter(before: SqlFile[], files: SqlFile[]): Promise<Finding[]> {
  const own = new Set(files.map(({ file }) => file));
  return (await lint([...before, ...files])).filter(({ file }) => own.has(file));
}

describe("What the linter says to write instead", () => {
  it("is SQL that PostgreSQL's grammar takes and that the linter leaves alone, for whatever it finds", async function () {
    const wrong: string[] = [];
    const withSql = new Set<string>();
    for (const { sql, noTransaction, before = [], phase = "expand" } of refused) {
      const earlier = before.map((text, index) => ({
        file: `000${index + 1}_before.sql`,
        sql: `-- phase: contract\n${text}`,
      }));
      const findings = await lintAfter(earlier, [
        {
          file: "0009_this.sql",
          sql: `-- phase: ${phase}\n${noTransaction ? "-- no-transaction\n" : ""}${sql}`,
        },
      ]);
      for (const { rule, recipe } of findings) {
        const files = recipeFiles(recipe);
        if (files.length > 0) withSql.add(rule);
        // Where a statement breaks several rules, each recipe is about its own.
        const others = new Set(findings.map((finding) => finding.rule).filter((name) => name !== rule));
        for (const found of await lintAfter(earlier, files)) {
          // What the file itself has made is another's in the next one.
          if (!others.has(found.rule))
            wrong.push(`${rule} (${phase}) for ${sql}\n${recipe}\n=> ${found.rule}: ${found.reason}`);
        }
      }
    }
    expect([...new Set(wrong)].join("\n\n")).to.equal("");
    expect(withSql.size).to.be.greaterThan(50);
  });
});
