import type { Node, VariableSetStmt } from "libpg-query";
import { strings, elementsOf, nodesOf, isOn } from "../../sql/tree.js";
import { words, migration } from "../recipe.js";
import { allPhases, type Rule, type Statement } from "../rule.js";

/**
 * Users wait as long as a statement waits for a lock: what is longer than this is not a guard. In
 * milliseconds.
 */
const longestWait = 5000;

const units: Record<string, number> = { us: 0.001, ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 };

/** A time as PostgreSQL reads it, in milliseconds. */
function milliseconds(node: Node | undefined): number | undefined {
  if (node === undefined || !("A_Const" in node)) return undefined;
  const { ival, fval, sval } = node.A_Const;
  if (ival !== undefined) return ival.ival ?? 0;
  const [, number, unit = "ms"] =
    /^\s*(-?[\d.]+)\s*(us|ms|s|min|h|d)?\s*$/.exec(fval?.fval ?? sval?.sval ?? "") ?? [];
  return number === undefined ? undefined : Number(number) * (units[unit] ?? 1);
}

function isOff(node: Node | undefined): boolean {
  return milliseconds(node) === 0 || /^(off|false|no)$/i.test(textOf(node));
}

function textOf(node: Node | undefined): string {
  return node !== undefined && "A_Const" in node ? (node.A_Const.sval?.sval ?? "") : "";
}

type Setting = [name: string, value: Node | undefined];

/**
 * The settings that a statement changes, with their new values; undefined for what the session began with. A
 * name that the statement does not say is empty.
 */
function settingsIn(node: Node): Setting[] {
  const calls = nodesOf(node, "FuncCall").flatMap(({ funcname, args = [] }): Setting[] =>
    strings(funcname).at(-1) === "set_config" ? [[textOf(args[0]), args[1]]] : [],
  );
  if (!("VariableSetStmt" in node)) return calls;
  const { name = "", kind, args } = node.VariableSetStmt;
  // SET TRANSACTION.
  if (kind === "VAR_SET_MULTI")
    return [...elementsOf(args).map(({ defname = "", arg }): Setting => [defname, arg]), ...calls];
  return [[name, value(node.VariableSetStmt)], ...calls];
}

function value({ kind, args }: VariableSetStmt): Node | undefined {
  return kind === "VAR_SET_VALUE" ? args?.[0] : undefined;
}

/** Whether a setting takes away what keeps users safe from the migration. */
function isUnguarded(name: string, to: Node | undefined, { inTransaction }: Statement): boolean {
  const time = milliseconds(to);
  switch (name.toLowerCase()) {
    case "lock_timeout":
      // CONCURRENTLY waits for long, and holds up nobody.
      return time === undefined || time <= 0 || (inTransaction && time > longestWait);
    case "idle_in_transaction_session_timeout":
      return time === undefined || time <= 0;
    // What the runner does afterwards, it does as itself: RESET ROLE does not bring that back.
    case "session_authorization":
      return to !== undefined;
    // It can be any.
    case "":
      return true;
    case "session_replication_role":
      return textOf(to).toLowerCase() !== "origin";
    case "default_transaction_read_only":
    case "transaction_read_only":
      return !isOff(to);
    default:
      return false;
  }
}

export const settingRules: Rule[] = [
  {
    name: "guard-setting",
    reason:
      "it turns off what protects users during the migration: lock time-outs, triggers that write both columns, foreign keys",
    phases: allPhases,
    example: "SET lock_timeout = 0;",
    find: (statement) => {
      const { node, start } = statement;
      const isReset =
        ("VariableSetStmt" in node && node.VariableSetStmt.kind === "VAR_RESET_ALL") ||
        ("DiscardStmt" in node && node.DiscardStmt.target === "DISCARD_ALL");
      const isBad = isReset || settingsIn(node).some(([name, to]) => isUnguarded(name, to, statement));
      return isBad
        ? [
            {
              at: start,
              recipe: words(
                "leave it out: the runner sets lock_timeout for each statement, and takes its settings back after each migration",
                "RESET one setting by its name, if this file has set it",
              ),
            },
          ]
        : [];
    },
  },
];

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
