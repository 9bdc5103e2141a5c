import type { Node, VariableSetStmt } from "libpg-query";
import { strings } from "../../sql/names.js";
import { words } from "../recipe.js";
import { allPhases, type Rule, type Statement } from "../rule.js";
import { elementsOf, nodesOf } from "../../sql/tree.js";

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
