import type { FuncCall, Node } from "libpg-query";
import { evaluate } from "../check.js";
import type { Known } from "../known.js";
import { strings, elementsOf, nodesOf } from "../../sql/tree.js";
import { inContract, words, commandLater } from "../recipe.js";
import { allPhases, beforeContract, type Rule } from "../rule.js";

export const sequenceRules: Rule[] = [
  commandLater(
    "set-generated-always",
    "the live version's INSERTs that name the column are refused from then on",
    "ALTER TABLE orders ALTER COLUMN id SET GENERATED ALWAYS;",
    ({ command: { subtype, def } }) =>
      (subtype === "AT_AddIdentity" &&
        def !== undefined &&
        "Constraint" in def &&
        def.Constraint.generated_when === "a") ||
      (subtype === "AT_SetIdentity" &&
        optionsOf(def).some(
          ({ defname, arg }) =>
            defname === "generated" &&
            arg !== undefined &&
            "Integer" in arg &&
            arg.Integer.ival === "a".charCodeAt(0),
        )),
  ),
  {
    name: "restart-sequence",
    reason:
      "numbers that are in use come again: the INSERTs of every version fail, or write a second row of a number",
    phases: allPhases,
    example: "ALTER SEQUENCE order_numbers RESTART WITH 1;",
    find: ({ node, start, commands, known }) => {
      const recipe = words(
        "leave it out; to number on from the rows there are",
        "SELECT setval('…', (SELECT max(…) FROM …));",
      );
      if ("AlterSeqStmt" in node)
        return !known.isFreshRelation(node.AlterSeqStmt.sequence) &&
          elementsOf(node.AlterSeqStmt.options).some(({ defname }) => defname === "restart")
          ? [{ at: start, recipe }]
          : [];
      if (nodesOf(node, "FuncCall").some((call) => setsNumber(call, known))) return [{ at: start, recipe }];
      return commands
        .filter(
          ({ command: { subtype, def }, relation }) =>
            subtype === "AT_SetIdentity" &&
            !known.isFreshRelation(relation) &&
            optionsOf(def).some(({ defname }) => defname === "restart"),
        )
        .map(({ at }) => ({ at, recipe }));
    },
  },
  {
    name: "alter-sequence",
    reason: "the live version gets numbers that it cannot use, or none at the end of the new range",
    phases: beforeContract,
    example: "ALTER SEQUENCE order_numbers MAXVALUE 500;",
    find: ({ node, start, commands, known, source }) => {
      if ("AlterSeqStmt" in node)
        return !known.isFreshRelation(node.AlterSeqStmt.sequence) &&
          elementsOf(node.AlterSeqStmt.options).some(isNarrower)
          ? [{ at: start, recipe: inContract(source.text) }]
          : [];
      return commands
        .filter(
          ({ command: { subtype, def }, relation }) =>
            subtype === "AT_SetIdentity" &&
            !known.isFreshRelation(relation) &&
            optionsOf(def).some(isNarrower),
        )
        .map(({ at, sql }) => ({ at, recipe: inContract(sql) }));
    },
  },
];

function optionsOf(definition: Node | undefined) {
  return definition !== undefined && "List" in definition ? elementsOf(definition.List.items) : [];
}

/** setval with a number as it is written: where the sequence is by now is not known. */
function setsNumber({ funcname, args: [sequence, number] = [] }: FuncCall, known: Known): boolean {
  if (strings(funcname).at(-1) !== "setval" || evaluate(number, new Map())?.is !== "constant") return false;
  const name = evaluate(sequence, new Map());
  return !(
    name?.is === "constant" &&
    typeof name.of === "string" &&
    known.isFreshSequence(name.of.replaceAll('"', "").split("."))
  );
}

/** What neither loosens a sequence nor leaves its numbers alone. RESTART has a rule of its own. */
function isNarrower({ defname, arg }: { defname?: string; arg?: Node }): boolean {
  if (defname === "increment" || defname === "cycle") return true;
  if (defname === "maxvalue" || defname === "minvalue") return arg !== undefined;
  return (
    defname === "as" &&
    arg !== undefined &&
    "TypeName" in arg &&
    !strings(arg.TypeName.names).includes("int8")
  );
}
