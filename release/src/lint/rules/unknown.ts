import { words } from "../recipe.js";
import { allPhases, type Rule } from "../rule.js";
import { kindsOf, unlisted } from "../verdicts.js";

/** The net: what is on no list has been judged by nobody. */
export const unknownRules: Rule[] = [
  {
    name: "unknown-statement",
    reason: "no rule knows the statement, so that nobody has judged it",
    phases: allPhases,
    example: "",
    find: ({ node, start }) => (unlisted(kindsOf(node)).length === 0 ? [] : [{ at: start, recipe: words("at the top of the file, what it does to the live version's reads and writes, and how long it takes:", "assure unknown-statement: REASON") }]),
  },
];
