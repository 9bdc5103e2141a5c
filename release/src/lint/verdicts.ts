import type { Node } from "libpg-query";
import {
  whole,
  definitions,
  drops,
  ownedObjects,
  renames,
  same,
  schemaObjects,
  type Split,
} from "./verdicts/statements.js";
import {
  accepted,
  tableCommands,
  discards,
  domainCommands,
  publicationCommands,
  searchCommands,
  settingCommands,
  subscriptionCommands,
  transactions,
  type Verdict,
} from "./verdicts/commands.js";

const split: Record<Split, Partial<Record<string, Verdict>>> = {
  AlterTableStmt: Object.fromEntries(
    Object.entries(tableCommands).map(([command, rules]) => [
      command,
      [...rules, "several-tables", "enum-value-used"],
    ]),
  ),
  DropStmt: drops,
  RenameStmt: Object.fromEntries(
    Object.entries(renames).map(([type, rules]) => [type, [...rules, "several-tables"]]),
  ),
  AlterObjectSchemaStmt: same(["set-schema", "several-tables"], ...schemaObjects),
  AlterOwnerStmt: same(["change-owner"], ...ownedObjects),
  DefineStmt: same(accepted, ...definitions),
  AlterDomainStmt: domainCommands,
  AlterTSConfigurationStmt: searchCommands,
  AlterPublicationStmt: publicationCommands,
  AlterSubscriptionStmt: subscriptionCommands,
  VariableSetStmt: settingCommands,
  DiscardStmt: discards,
  TransactionStmt: transactions,
};

/** Every kind that is listed: a statement's, or a statement's and that of its command or object. */
export const verdicts: ReadonlyMap<string, Verdict> = new Map([
  ...Object.entries<Verdict>(whole),
  ...Object.entries(split).flatMap(([kind, parts]) =>
    Object.entries(parts).flatMap(([part, rules]): [string, Verdict][] =>
      rules === undefined ? [] : [[`${kind} ${part}`, rules]],
    ),
  ),
]);

/** Those of the kinds without a verdict. */
export function unlisted(kinds: string[]): string[] {
  return kinds.filter((kind) => !verdicts.has(kind));
}

/** The kinds of a statement: one, or one for each command of an ALTER TABLE. */
export function kindsOf(node: Node): string[] {
  const [statement = ""] = Object.keys(node);
  if ("AlterTableStmt" in node)
    return (node.AlterTableStmt.cmds ?? []).map(
      (each) => `${statement} ${"AlterTableCmd" in each ? (each.AlterTableCmd.subtype ?? "") : ""}`,
    );
  const part = partOf(node);
  return [part === undefined ? statement : `${statement} ${part}`];
}

function partOf(node: Node): string | undefined {
  if ("DropStmt" in node) return node.DropStmt.removeType ?? "";
  if ("RenameStmt" in node) return node.RenameStmt.renameType ?? "";
  if ("AlterObjectSchemaStmt" in node) return node.AlterObjectSchemaStmt.objectType ?? "";
  if ("AlterOwnerStmt" in node) return node.AlterOwnerStmt.objectType ?? "";
  if ("DefineStmt" in node) return node.DefineStmt.kind ?? "";
  if ("AlterDomainStmt" in node) return node.AlterDomainStmt.subtype ?? "";
  if ("AlterTSConfigurationStmt" in node) return node.AlterTSConfigurationStmt.kind ?? "";
  if ("AlterPublicationStmt" in node) return node.AlterPublicationStmt.action ?? "";
  if ("AlterSubscriptionStmt" in node) return node.AlterSubscriptionStmt.kind ?? "";
  if ("VariableSetStmt" in node) return node.VariableSetStmt.kind ?? "";
  if ("DiscardStmt" in node) return node.DiscardStmt.target ?? "";
  return "TransactionStmt" in node ? (node.TransactionStmt.kind ?? "") : undefined;
}
