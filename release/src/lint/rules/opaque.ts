import { allPhases, type Rule } from "../rule.js";

export const opaqueRules: Rule[] = [
  {
    name: "do-block",
    reason: "its text is run, and no rule can see into it",
    phases: allPhases,
    recipe: () => `-- plain SQL; or, at the top of the file, what makes it safe
-- assure do-block: REASON`,
    find: ({ node, start }) => ("DoStmt" in node || "CallStmt" in node ? [{ at: start }] : []),
  },
];
