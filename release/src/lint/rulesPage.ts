import { effectOf } from "./effects.js";
import { lint } from "./lint.js";
import { fileRules, rules } from "./registry.js";
import { allPhases, type Rule } from "./rule.js";

/** docs/lint-rules.md */
export async function rulesPage(): Promise<string> {
  const sections = await Promise.all(rules.filter(({ example }) => example !== "").map(section));
  return `# Rules for migrations

Two versions of the app use one schema at every moment of a release. \`npm run bluegreen -- lint\` reads migrations with PostgreSQL's own grammar and finds what one of them would not survive. This page is made from the rules themselves: \`npm run --silent bluegreen -- lint --rules > docs/lint-rules.md\`

- **Phases** are those in which a rule applies: to drop a column is wrong in expand, and right in contract.
- An object that the same file has made is new: nobody waits for it, so that rules about live ones leave it alone.
- Every kind of statement of the grammar is on one list with the rules that judge it; a kind that is on none is an unknown-statement.
- Where a rule does not apply, the top of the file says so and why: \`-- assure RULE: REASON\`. An assurance that nothing needs is a finding.
- A file \`ID_NAME.down.sql\` is judged as contract: no version uses what it takes away.
- What a function does that a SELECT calls is not seen.
- Seconds for a million rows are of PostgreSQL 15 on two busy cores (\`npm run bench:lint\`): an order of magnitude, and longer with wider rows and more indexes.
- Each rule is tested: [tests/lint/cases.ts](../tests/lint/cases.ts) has SQL that it finds and SQL that it leaves alone, and [tests/integration/lintEvidence.test.ts](../tests/integration/lintEvidence.test.ts) shows on a real PostgreSQL the lock, the rewrite or the refusal that it claims.

| rule | phases | why |
| --- | --- | --- |
${rules.map((rule) => `| ${rule.example === "" ? rule.name : `[${rule.name}](#${rule.name})`} | ${phasesOf(rule)} | ${rule.reason} |`).join("\n")}

Rules about a file, which no assurance turns off:

| rule | why |
| --- | --- |
${Object.values(fileRules)
  .map(({ name, reason }) => `| ${name} | ${reason} |`)
  .join("\n")}

# What to write instead
${sections.join("")}`;
}

/** What a rule says of its example. */
async function section(rule: Rule): Promise<string> {
  const { name, reason, example, before } = rule;
  const earlier = before === undefined ? [] : [{ file: "0001_before.sql", sql: `-- phase: expand\n${before}` }];
  const findings = await lint([...earlier, { file: "0002_example.sql", sql: `-- phase: ${rule.phases[0] ?? "expand"}\n${example}` }]);
  const recipe = findings.find((finding) => finding.rule === name)?.recipe ?? "";
  const effect = effectOf(name);
  return `\n## ${name}\n\n${capitalized(reason)}. Phases: ${phasesOf(rule)}.${effect === undefined ? "" : `\n\n${effect}.`}\n\n\`\`\`sql\n${before === undefined ? "" : `${before} -- in an earlier migration\n`}${example}\n\`\`\`\n\nInstead:\n\n\`\`\`sql\n${recipe}\n\`\`\`\n`;
}

function phasesOf({ phases }: Rule): string {
  return phases.length === allPhases.length ? "all" : phases.join(", ");
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
