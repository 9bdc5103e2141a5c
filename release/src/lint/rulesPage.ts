import { effectOf } from "./effects.js";
import { lint } from "./lint.js";
import { fileRules, rules } from "./registry.js";
import { allPhases, type Rule } from "./rule.js";

/** docs/reference/lint-rules.md */
export async function rulesPage(): Promise<string> {
  const sections = await Promise.all(rules.filter(({ example }) => example !== "").map(section));
  return `# Rules for migrations

Two versions of the app use one schema during a release. \`npm run bluegreen -- lint\` parses migrations with PostgreSQL's own grammar and finds what one of the versions would not survive. This page is generated from the rules: \`npm run --silent bluegreen -- lint --rules > docs/reference/lint-rules.md\`

- **Phases** are those in which a rule applies: dropping a column is wrong in expand and right in contract.
- An object created by the same file is new and in nobody's use, so rules about existing objects ignore it.
- Every kind of statement in the grammar is listed with the rules that check it. Any other is an unknown-statement.
- To exempt a file from a rule, put \`-- assure RULE: REASON\` at its top. An exemption that nothing needs is a finding.
- A file \`ID_NAME.down.sql\` is checked as contract.
- What a function called by a SELECT does is not checked.
- Seconds per million rows were measured with PostgreSQL 15, and with 18 where 15 has no such statement, on two busy cores (\`npm run bench:lint\`). Take them as an order of magnitude; wider rows and more indexes take longer.
- Each rule is tested: [tests/lint/cases.ts](../../tests/lint/cases.ts) has SQL that it finds and SQL that it accepts, and [tests/integration/lintEvidence.test.ts](../../tests/integration/lintEvidence.test.ts) shows the lock, rewrite or error on PostgreSQL 15 and 18, with a reader and a writer at work on the table. Their tests begin with the rule's name. [Peers](lint-peers.md) compares the rules with other linters and with the migrations of public projects.

| rule | phases | why |
| --- | --- | --- |
${rules.map((rule) => `| ${rule.example === "" ? rule.name : `[${rule.name}](#${rule.name})`} | ${phasesOf(rule)} | ${rule.reason} |`).join("\n")}

Rules about a file, without exemptions:

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
  const earlier =
    before === undefined ? [] : [{ file: "0001_before.sql", sql: `-- phase: expand\n${before}` }];
  const findings = await lint([
    ...earlier,
    { file: "0002_example.sql", sql: `-- phase: ${rule.phases[0] ?? "expand"}\n${example}` },
  ]);
  const recipe = findings.find((finding) => finding.rule === name)?.recipe ?? "";
  const effect = effectOf(name);
  return `\n## ${name}\n\n${capitalized(reason)}. Phases: ${phasesOf(rule)}.${effect === undefined ? "" : `\n\n${effect}.`}\n\n\`\`\`sql\n${before === undefined ? "" : `${before} -- in an earlier migration\n`}${example}\n\`\`\`\n\nInstead:\n\n\`\`\`sql\n${recipe}\n\`\`\`\n\nTested: [SQL](../../tests/lint/cases.ts) under \`${name}\`, and where a database shows anything of it [on PostgreSQL](../../tests/integration/lintEvidence.test.ts).\n`;
}

function phasesOf({ phases }: Rule): string {
  return phases.length === allPhases.length ? "all" : phases.join(", ");
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
