import type { Node } from "libpg-query";
import { allPhases, type Rule, type Statement } from "../rule.js";
import { alone, hasOption } from "./indexes.js";

/** What PostgreSQL refuses to run inside a transaction. */
function needsNone({ node, commands }: Statement): boolean {
  if ("IndexStmt" in node) return node.IndexStmt.concurrent === true;
  if ("DropStmt" in node) return node.DropStmt.concurrent === true;
  if ("ReindexStmt" in node) return hasOption(node.ReindexStmt.params, "concurrently") || (node.ReindexStmt.relation === undefined && node.ReindexStmt.kind !== undefined);
  if ("VacuumStmt" in node) return node.VacuumStmt.is_vacuumcmd === true;
  if ("ClusterStmt" in node) return node.ClusterStmt.relation === undefined;
  if (commands.some(({ command: { subtype, def } }) => subtype === "AT_DetachPartition" && def !== undefined && "PartitionCmd" in def && def.PartitionCmd.concurrent === true)) return true;
  return ["CreatedbStmt", "DropdbStmt", "CreateTableSpaceStmt", "DropTableSpaceStmt", "AlterSystemStmt"].some((kind) => kind in node);
}

export function isSetting(node: Node): boolean {
  return "VariableSetStmt" in node || "VariableShowStmt" in node;
}

export const transactionRules: Rule[] = [
  {
    name: "needs-no-transaction",
    reason: "PostgreSQL refuses the statement inside a transaction, and a migration is one",
    phases: allPhases,
    recipe: () => alone,
    find: (statement) => (statement.inTransaction && needsNone(statement) ? [{ at: statement.start }] : []),
  },
  {
    name: "no-transaction-alone",
    reason: "what is stopped at the second statement keeps the first: users live with half of a migration",
    phases: allPhases,
    recipe: () => "-- a migration of its own for each statement (SET may come before it)",
    find: ({ node, start, inTransaction, before }) => (!inTransaction && before > 0 && !isSetting(node) ? [{ at: start }] : []),
  },
  {
    name: "transaction-control",
    reason: "the runner begins and commits: a COMMIT in the file lets the migration happen without its record",
    phases: allPhases,
    recipe: () => `-- leave it out; "-- no-transaction" at the top where there is to be none`,
    find: ({ node, start }) => ("TransactionStmt" in node ? [{ at: start }] : []),
  },
];
