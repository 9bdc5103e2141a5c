import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { allPhases, type Phase, type Rule } from "@bluegreen/release/lint/rule";
import { lint, type Finding } from "@bluegreen/release/lint/lint";
import { rules } from "@bluegreen/release/lint/registry";
import { rulesPage } from "@bluegreen/release/lint/rulesPage";
import { cases, type Case } from "./cases";

const repository = join(__dirname, "..", "..");
const mark = "‸";

/** All others are wrong whenever they happen: they stop users, or break every version. */
const rightInContract = [
  ..."drop-column drop-table drop-schema drop-view drop-function drop-type drop-sequence".split(" "),
  ..."drop-trigger drop-policy drop-constraint drop-live-index drop-object drop-role".split(" "),
  ..."drop-not-null change-default drop-default drop-identity check-before-contract truncate revoke enable-rls".split(
    " ",
  ),
  ..."rename-constraint rename-trigger foreign-key-before-contract unique-before-contract alter-constraint change-domain change-inheritance".split(
    " ",
  ),
  ..."disable-rls change-policy create-rule disable-trigger change-owner set-generated-always alter-sequence replica-identity".split(
    " ",
  ),
  ..."alter-role change-composite-type alter-object".split(" "),
];

const header = (phase: Phase, noTransaction?: true) =>
  `-- phase: ${phase}\n${noTransaction ? "-- no-transaction\n" : ""}`;

interface Place {
  line: number;
  column: number;
}

async function findingsOf(phase: Phase, { sql, noTransaction, before = [] }: Case): Promise<Finding[]> {
  const earlier = before.map((text, index) => ({
    file: `000${index + 1}_before.sql`,
    sql: `-- phase: contract\n${text}`,
  }));
  const findings = await lint([
    ...earlier,
    { file: "0009_this.sql", sql: (header(phase, noTransaction) + sql).replaceAll(mark, "") },
  ]);
  const broken = findings.filter(({ rule }) => rule === "syntax-error" || rule === "header");
  if (broken.length > 0) throw new Error(`the case itself is wrong: ${JSON.stringify(broken)}\n${sql}`);
  return findings.filter(({ file }) => file === "0009_this.sql");
}

const placesOf = (findings: Finding[], { name }: Rule): Place[] =>
  findings.filter(({ rule }) => rule === name).map(({ line, column }) => ({ line, column }));

function marked(text: string): Place[] {
  return text.split("\n").flatMap((line, index) => {
    const [, ...rest] = line.split(mark);
    let column = 1;
    let from = 0;
    return rest.map(() => {
      const at = line.indexOf(mark, from);
      column += Array.from(line.slice(from, at)).length;
      from = at + mark.length;
      return { line: index + 1, column };
    });
  });
}

describe("Rules for migrations", () => {
  it("all have SQL that they find and SQL that they leave alone, and no case is of no rule", () => {
    expect([...Object.keys(cases), "unknown-statement"]).to.have.members(rules.map(({ name }) => name));
    for (const [name, { bad, good }] of Object.entries(cases)) {
      expect(bad, name).not.to.be.empty;
      expect(good, name).not.to.be.empty;
      for (const { sql } of bad) expect(marked(sql), sql).not.to.be.empty;
    }
  });

  for (const rule of rules) {
    it(`${rule.name}: finds it in its phases, at its place`, async () => {
      for (const bad of cases[rule.name]?.bad ?? []) {
        for (const phase of allPhases) {
          const expected =
            phase === "contract" && rightInContract.includes(rule.name)
              ? []
              : marked(header(phase, bad.noTransaction) + bad.sql);
          expect(placesOf(await findingsOf(phase, bad), rule), `${phase}: ${bad.sql}`).to.deep.equal(
            expected,
          );
        }
      }
    });

    it(`${rule.name}: leaves near misses alone`, async () => {
      for (const good of cases[rule.name]?.good ?? []) {
        for (const phase of allPhases)
          expect(placesOf(await findingsOf(phase, good), rule), `${phase}: ${good.sql}`).to.deep.equal([]);
      }
    });
  }

  it("let the safe way to NOT NULL pass as three migrations in contract, and not before", async () => {
    const steps = [
      "ALTER TABLE t ADD CONSTRAINT n CHECK (c IS NOT NULL) NOT VALID;",
      "ALTER TABLE t VALIDATE CONSTRAINT n;",
      "ALTER TABLE t ALTER c SET NOT NULL; ALTER TABLE t DROP CONSTRAINT n;",
    ];
    const files = (phase: Phase) =>
      steps.map((sql, index) => ({ file: `000${index}_x.sql`, sql: header(phase) + sql }));
    expect(await lint(files("contract"))).to.deep.equal([]);
    expect((await lint(files("expand"))).map(({ rule }) => rule)).to.deep.equal([
      "check-before-contract",
      "set-not-null",
      "drop-constraint",
    ]);
  });

  it("are kept by the repository's own migrations", async () => {
    const folder = join(repository, "migrations");
    const files = readdirSync(folder)
      .filter((file) => file.endsWith(".sql"))
      .sort();
    expect(files).not.to.be.empty;
    expect(
      await lint(files.map((file) => ({ file, sql: readFileSync(join(folder, file), "utf8") }))),
    ).to.deep.equal([]);
  });

  it("say what to write with the names of the place, quoted where SQL wants it", async () => {
    const [finding] = await findingsOf("expand", {
      sql: 'ALTER TABLE app."User" ADD COLUMN "Größe" numeric(10,2) NOT NULL;',
    });
    expect(finding?.recipe).to.contain('ALTER TABLE app."User" ADD COLUMN "Größe" numeric(10,2);');
  });

  it("stand in docs/reference/lint-rules.md as they are", async () => {
    expect(
      readFileSync(join(repository, "docs", "reference", "lint-rules.md"), "utf8"),
      "run: npm run --silent bluegreen -- lint --rules > docs/reference/lint-rules.md",
    ).to.equal(await rulesPage());
  });
});
