import { join } from "node:path";
import { errorCodes } from "@bluegreen/release/util/errorCodes";
import { repositoryDir } from "../local/paths";

/** The reference page of the errors. */
export const errorsFile = join(repositoryDir, "docs", "reference", "errors.md");

/** Every code with cause and remedy, in the order of the alphabet. */
export function errorsText(): string {
  const sections = Object.entries(errorCodes).map(
    ([code, { cause, remedy }]) => `\n## ${code}\n\n${cause}\n\nRemedy: ${remedy}\n`,
  );
  return `# Errors

Every error of a release and of the command line has four parts: what was refused, the rule, the next command, and a code.

\`\`\`
The release of shop was refused: anna@laptop has been releasing it since 2026-03-01T12:00:00Z
  why:  one update at a time, and after 60 s that one was still at work (Lease shop/shop-release)
  next: wait for its end, then pulumi up; …
  code: BG-LOCK-HELD
\`\`\`

- A failed update leaves traffic where it was, and says so where it did not.
- With \`--json\`, a command that fails prints \`{"error": {"code", "message"}}\`. [Alerts](../guides/alerts.md#the-webhook) have the field \`code\`.
- A code keeps its meaning; the text of a message may change. Refer to codes in scripts and tickets.
- Findings of the linter and of the policy pack have names of their own: [Lint rules](lint-rules.md), [Policy pack](../guides/policy-pack.md).

\`npm run docs\` writes this page from [release/src/util/errorCodes.ts](../../release/src/util/errorCodes.ts).
${sections.join("")}`;
}
