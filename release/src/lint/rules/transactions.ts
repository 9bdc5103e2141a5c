import type { Node } from "libpg-query";
import { migration, words } from "../recipe.js";
import { allPhases, type Rule, type Statement } from "../rule.js";
import { elementsOf, isOn, nodesOf } from "../../sql/tree.js";

/** What PostgreSQL refuses to run inside a transaction. */
function needsNone({ node, commands }: Statement): boolean {
  if ("IndexStmt" in node) return node.IndexStmt.concurrent === true;
  if ("DropStmt" in node) return node.DropStmt.concurrent === true;
  if ("ReindexStmt" in node)
    return (
      isOn(node.ReindexStmt.params, "concurrently") ||
      (node.ReindexStmt.relation === undefined && node.ReindexStmt.kind !== undefined)
    );
  if ("VacuumStmt" in node) return node.VacuumStmt.is_vacuumcmd === true;
  if ("ClusterStmt" in node) return node.ClusterStmt.relation === undefined;
  if ("DiscardStmt" in node) return node.DiscardStmt.target === "DISCARD_ALL";
  if ("CreateSubscriptionStmt" in node)
    return !elementsOf(node.CreateSubscriptionStmt.options).some(
      ({ defname }) =>
        (defname === "connect" || defname === "create_slot") &&
        !isOn(node.CreateSubscriptionStmt.options, defname),
    );
  if ("AlterSubscriptionStmt" in node) {
    const { kind = "", options } = node.AlterSubscriptionStmt;
    return (
      kind === "ALTER_SUBSCRIPTION_REFRESH" ||
      (kind.endsWith("_PUBLICATION") &&
        !(elementsOf(options).some(({ defname }) => defname === "refresh") && !isOn(options, "refresh")))
    );
  }
  if ("AlterDatabaseStmt" in node)
    return elementsOf(node.AlterDatabaseStmt.options).some(({ defname }) => defname === "tablespace");
  if (
    commands.some(
      ({ command: { subtype, def } }) =>
        subtype === "AT_DetachPartition" &&
        def !== undefined &&
        "PartitionCmd" in def &&
        def.PartitionCmd.concurrent === true,
    )
  )
    return true;
  return [
    "CreatedbStmt",
    "DropdbStmt",
    "CreateTableSpaceStmt",
    "DropTableSpaceStmt",
    "AlterSystemStmt",
    "DropSubscriptionStmt",
  ].some((kind) => kind in node);
}

export function isSetting(node: Node): boolean {
  return "VariableSetStmt" in node || "VariableShowStmt" in node;
}

export const transactionRules: Rule[] = [
  {
    name: "needs-no-transaction",
    reason: "PostgreSQL refuses the statement inside a transaction, and a migration is one",
    phases: allPhases,
    example: "CREATE INDEX CONCURRENTLY orders_placed_idx ON orders (placed);",
    find: (statement) =>
      statement.inTransaction && needsNone(statement)
        ? [
            {
              at: statement.start,
              recipe: migration(statement.phase, `${statement.source.text};`, { noTransaction: true }),
            },
          ]
        : [],
  },
  {
    name: "no-transaction-alone",
    reason: "a run that stops at the second statement keeps the first: half of the migration stays",
    phases: allPhases,
    example:
      "-- no-transaction\nCREATE INDEX CONCURRENTLY orders_placed_idx ON orders (placed);\nANALYZE orders;",
    find: (statement) => {
      const { node, start, inTransaction, before, phase, source } = statement;
      return !inTransaction && before > 0 && !isSetting(node)
        ? [
            {
              at: start,
              recipe: migration(phase, `${source.text};`, { noTransaction: needsNone(statement) }),
            },
          ]
        : [];
    },
  },
  {
    name: "transaction-control",
    reason:
      "the runner begins and commits: a COMMIT in the file lets the migration happen without its record",
    phases: allPhases,
    example: "BEGIN;",
    find: ({ node, start }) =>
      "TransactionStmt" in node
        ? [
            {
              at: start,
              recipe: words(`leave it out; "-- no-transaction" at the top where there is to be none`),
            },
          ]
        : [],
  },
  {
    name: "enum-value-used",
    reason: "PostgreSQL refuses the use of a new enum value before the transaction that adds it has ended",
    phases: allPhases,
    example: "ALTER TYPE mood ADD VALUE 'calm';\nINSERT INTO moods (mood) VALUES ('calm');",
    find: (statement) => {
      const { node, start, inTransaction, known, phase, source } = statement;
      if (!inTransaction || known.newValues.size === 0 || "AlterEnumStmt" in node) return [];
      const isUsed = nodesOf(node, "A_Const").some(({ sval }) => known.newValues.has(sval?.sval ?? ""));
      return isUsed ? [{ at: start, recipe: migration(phase, `${source.text};`) }] : [];
    },
  },
];
