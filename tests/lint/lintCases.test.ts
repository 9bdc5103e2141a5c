import { expect } from "chai";
import { lint, type Finding } from "@bluegreen/release/lint/lint";
import { lintCases, recipeCases, type LintCase } from "./lintCases";

async function findingsOf({
  sql,
  phase,
  noTransaction,
  before = [],
}: Omit<LintCase, "is">): Promise<Finding[]> {
  const earlier = before.map((text, index) => ({
    file: `000${index + 1}_before.sql`,
    sql: `-- phase: contract\n${text}`,
  }));
  const header = `-- phase: ${phase ?? "expand"}\n${noTransaction ? "-- no-transaction\n" : ""}`;
  return (await lint([...earlier, { file: "0009_this.sql", sql: header + sql }])).filter(
    ({ file }) => file === "0009_this.sql",
  );
}

describe("The linter, on SQL whose verdict is known", () => {
  for (const [topic, cases] of Object.entries(lintCases)) {
    it(`is right about ${topic}`, async () => {
      const wrong: string[] = [];
      for (const each of cases) {
        const found = (await findingsOf(each)).map(({ rule }) => rule);
        expect(found, each.sql)
          .not.to.include.members(["syntax-error"])
          .and.not.to.include.members(["header"]);
        if (found.length > 0 !== (each.is === "refused"))
          wrong.push(`${each.sql} is to be ${each.is}: ${found.join(", ") || "nothing found"}`);
      }
      expect(wrong).to.deep.equal([]);
    });
  }

  it("says what to write instead without a change of meaning", async () => {
    for (const { sql, holds, lacks = [] } of recipeCases) {
      const text = (await findingsOf({ sql })).map(({ recipe }) => recipe).join("\n");
      for (const part of holds) expect(text, sql).to.contain(part);
      for (const part of lacks) expect(text, sql).not.to.contain(part);
    }
  });
});
