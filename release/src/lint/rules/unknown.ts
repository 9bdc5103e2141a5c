import { words } from "../recipe.js";
import { allPhases, type Rule } from "../rule.js";
import { kindsOf, unlisted } from "../verdicts.js";

/** The net: what is on no list has no verdict. */
export const unknownRules: Rule[] = [
  {
    name: "unknown-statement",
    reason: "no rule knows the statement, so it was never checked",
    phases: allPhases,
    example: "",
    find: ({ node, start }) =>
      unlisted(kindsOf(node)).length === 0
        ? []
        : [
            {
              at: start,
              recipe: words(
                "at the top of the file, what it does to the live version's reads and writes, and how long it takes:",
                "assure unknown-statement: REASON",
              ),
            },
          ],
  },
];

export const opaqueRules: Rule[] = [
  {
    name: "do-block",
    reason: "what it does is not SQL of this file, and no rule can see into it",
    phases: allPhases,
    example: "DO $$ BEGIN PERFORM 1; END $$;",
    find: ({ node, start }) => {
      const isOpaque =
        "DoStmt" in node ||
        "CallStmt" in node ||
        "LoadStmt" in node ||
        ("CopyStmt" in node && node.CopyStmt.is_program === true);
      return isOpaque
        ? [
            {
              at: start,
              recipe: words(
                "plain SQL; or, at the top of the file, what makes it safe:",
                "assure do-block: REASON",
              ),
            },
          ]
        : [];
    },
  },
];
