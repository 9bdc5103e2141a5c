import { fileRules, placeholders, rules } from "./registry.js";
import { allPhases, type Rule } from "./rule.js";

/** docs/lint-rules.md */
export function rulesPage(): string {
  return `# Rules for migrations

Two versions of the app use one schema at every moment of a release. \`npm run bluegreen -- lint\` reads migrations with PostgreSQL's own grammar and finds what one of them would not survive. This page is made from the rules themselves: \`npm run --silent bluegreen -- lint --rules > docs/lint-rules.md\`

- **Phases** are those in which a rule applies: to drop a column is wrong in expand, and right in contract.
- A relation that the same file has made is new: nobody waits for it, so that rules about live ones leave it alone.
- Where a rule does not apply, the top of the file says so and why: \`-- assure RULE: REASON\`. An assurance that nothing needs is a finding.
- A file \`ID_NAME.down.sql\` is judged as contract: no version uses what it takes away.
- What a function does that a SELECT calls is not seen.

| rule | phases | why |
| --- | --- | --- |
${rules.map((rule) => `| [${rule.name}](#${rule.name}) | ${phasesOf(rule)} | ${rule.reason} |`).join("\n")}

Rules about a file, which no assurance turns off:

| rule | why |
| --- | --- |
${Object.values(fileRules)
  .map(({ name, reason }) => `| ${name} | ${reason} |`)
  .join("\n")}

# What to write instead
${rules.map((rule) => `\n## ${rule.name}\n\n${capitalized(rule.reason)}. Phases: ${phasesOf(rule)}.\n\n\`\`\`sql\n${rule.recipe(placeholders)}\n\`\`\`\n`).join("")}`;
}

function phasesOf({ phases }: Rule): string {
  return phases.length === allPhases.length ? "all" : phases.join(", ");
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
