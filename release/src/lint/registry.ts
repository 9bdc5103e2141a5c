import type { FileRule, Rule } from "./rule.js";
import { accessRules } from "./rules/access.js";
import { sequenceRules } from "./rules/sequences.js";
import { objectRules, domainRules } from "./rules/objects.js";
import { columnRules } from "./rules/columns.js";
import { newColumnRules } from "./rules/newColumns.js";
import { constraintRules } from "./rules/constraints.js";
import { dataRules } from "./rules/data.js";
import { dropRules } from "./rules/drops.js";
import { indexRules } from "./rules/indexes.js";
import { lockRules } from "./rules/locks.js";
import { opaqueRules, unknownRules } from "./rules/unknown.js";
import { partitionRules } from "./rules/partitions.js";
import { renameRules } from "./rules/renames.js";
import { settingRules, transactionRules } from "./rules/settings.js";

/** Every rule about a statement: what is documented, tested and reported. */
export const rules: readonly Rule[] = [
  ...renameRules,
  ...dropRules,
  ...newColumnRules,
  ...columnRules,
  ...constraintRules,
  ...domainRules,
  ...indexRules,
  ...partitionRules,
  ...dataRules,
  ...lockRules,
  ...accessRules,
  ...sequenceRules,
  ...objectRules,
  ...settingRules,
  ...transactionRules,
  ...opaqueRules,
  ...unknownRules,
];

/** Rules about a file as such. */
export const fileRules = {
  syntax: {
    name: "syntax-error",
    reason: "PostgreSQL's grammar does not take the text",
    recipe: "-- correct it; psql and this check read SQL alike, but psql's own \\commands are none",
  },
  header: {
    name: "header",
    reason: "the comment lines at the top say when and how the file runs",
    recipe: "-- phase: expand | backfill | contract\n-- assure RULE: REASON",
  },
  unknownAssurance: {
    name: "assurance-unknown-rule",
    reason: "no rule has this name, so that nothing is assured",
    recipe: "-- assure RULE: REASON, with a rule of docs/reference/lint-rules.md that may be assured",
  },
  unneededAssurance: {
    name: "assurance-unneeded",
    reason: "nothing in the file breaks the rule: what is assured for nothing hides the next mistake",
    recipe: "-- leave the line out",
  },
} satisfies Record<string, FileRule>;
