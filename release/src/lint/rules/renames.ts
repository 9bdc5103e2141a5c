import type { ObjectType, RenameStmt } from "libpg-query";
import { shellWord, bluegreen } from "../../util/bluegreenCommand.js";
import { objectParts, quoted, quotedRelation } from "../../sql/tree.js";
import { inContract, inTurn, migration, words } from "../recipe.js";
import { allPhases, beforeContract, type Rule, type Statement } from "../rule.js";
import { kindOf } from "../scope.js";

interface Names {
  table: string;
  column: string;
  name: string;
  newName: string;
}

const renames = (
  name: string,
  what: string,
  example: string,
  types: ObjectType[],
  recipe: (names: Names, statement: Statement) => string,
): Rule => ({
  name,
  /** The live version knows one name, and the next one another: at no moment do both have theirs. */
  reason: `the live version still uses the ${what}'s old name`,
  phases: allPhases,
  example,
  find: (statement) => {
    const { node, start } = statement;
    if (
      !("RenameStmt" in node) ||
      !types.includes(node.RenameStmt.renameType ?? "OBJECT_TABLE") ||
      isFresh(node.RenameStmt, statement)
    )
      return [];
    const { relation, object, subname, newname } = node.RenameStmt;
    const parts =
      relation === undefined
        ? object === undefined
          ? [subname ?? ""]
          : objectParts(object)
        : [relation.schemaname ?? "", relation.relname ?? ""];
    return [
      {
        at: start,
        recipe: recipe(
          {
            table: quotedRelation(relation),
            column: quoted(subname),
            name: quoted(...parts),
            newName: quoted(newname),
          },
          statement,
        ),
      },
    ];
  },
});

function isFresh(
  { renameType = "OBJECT_TABLE", relation, object, subname = "" }: RenameStmt,
  { known }: Statement,
): boolean {
  if (relation !== undefined) {
    const isOwn =
      known.isFreshRelation(relation) ||
      (renameType === "OBJECT_COLUMN" && known.isFreshColumn(relation, subname));
    return isOwn || known.isFreshName(kindOf(renameType), `${known.scope.relation(relation)} ${subname}`);
  }
  // A constraint goes with its domain.
  // A trigger does not call its function by name.
  if (object !== undefined && known.isTriggerFunction(object)) return true;
  if (object !== undefined)
    return known.isFresh(renameType === "OBJECT_DOMCONSTRAINT" ? "OBJECT_DOMAIN" : renameType, object);
  return known.isFreshName(kindOf(renameType), subname);
}

const asView = ({ name, newName }: Names) =>
  inTurn(
    words("the name stays; the new one is a view, which takes writes as well"),
    migration("expand", `CREATE VIEW ${newName} AS SELECT * FROM ${name};`),
  );

export const renameRules: Rule[] = [
  renames(
    "rename-column",
    "column",
    "ALTER TABLE orders RENAME COLUMN note TO remark;",
    ["OBJECT_COLUMN"],
    ({ table, column, newName }) =>
      words(
        `${bluegreen} migrations rename ${shellWord(`${table}.${column}`)} ${shellWord(newName)}`,
        "writes the migrations: a second column, both kept equal by a trigger, a backfill, contract",
      ),
  ),
  renames(
    "rename-table",
    "table",
    "ALTER TABLE orders RENAME TO purchases;",
    ["OBJECT_TABLE", "OBJECT_FOREIGN_TABLE"],
    asView,
  ),
  renames(
    "rename-schema",
    "schema",
    "ALTER SCHEMA shop RENAME TO store;",
    ["OBJECT_SCHEMA"],
    ({ name, newName }) =>
      inTurn(
        words(`the name stays; in the new schema, a view of each relation of ${name}`),
        migration("expand", `CREATE SCHEMA ${newName};`),
      ),
  ),
  renames(
    "rename-view",
    "view",
    "ALTER VIEW order_totals RENAME TO totals;",
    ["OBJECT_VIEW", "OBJECT_MATVIEW"],
    asView,
  ),
  renames(
    "rename-function",
    "function",
    "ALTER FUNCTION price_of(bigint) RENAME TO cost_of;",
    ["OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_ROUTINE", "OBJECT_AGGREGATE"],
    ({ name, newName }) =>
      words(`expand: ${newName} beside ${name}, with the same body`, `contract: DROP FUNCTION ${name}`),
  ),
  renames(
    "rename-type",
    "type",
    "ALTER TYPE mood RENAME TO temper;",
    ["OBJECT_TYPE", "OBJECT_DOMAIN", "OBJECT_ATTRIBUTE"],
    ({ name, newName }) =>
      words(
        `the name stays; or expand: ${newName} beside ${name}, and a new column of it beside each one of the old`,
      ),
  ),
  renames(
    "rename-sequence",
    "sequence",
    "ALTER SEQUENCE order_numbers RENAME TO numbers;",
    ["OBJECT_SEQUENCE"],
    ({ name, newName }) =>
      words(`${name} stays: its name stands in defaults only, and ${newName} would say no more`),
  ),
  {
    ...renames(
      "rename-constraint",
      "constraint",
      "ALTER TABLE orders RENAME CONSTRAINT orders_number_key TO orders_no_key;",
      ["OBJECT_TABCONSTRAINT", "OBJECT_DOMCONSTRAINT"],
      (_, { source }) => inContract(source.text),
    ),
    phases: beforeContract,
  },
  {
    ...renames(
      "rename-trigger",
      "trigger",
      "ALTER TRIGGER orders_audit ON orders RENAME TO orders_log;",
      ["OBJECT_TRIGGER", "OBJECT_RULE"],
      (_, { source }) => inContract(source.text),
    ),
    reason:
      "triggers and rules of a table act in the order of their names: what the live version writes may come out differently",
    phases: beforeContract,
  },
  renames(
    "rename-object",
    "object",
    "ALTER ROLE shop_app RENAME TO shop;",
    [
      "OBJECT_ROLE",
      "OBJECT_COLLATION",
      "OBJECT_CONVERSION",
      "OBJECT_DATABASE",
      "OBJECT_EVENT_TRIGGER",
      "OBJECT_FDW",
      "OBJECT_FOREIGN_SERVER",
      "OBJECT_LANGUAGE",
      "OBJECT_OPCLASS",
      "OBJECT_OPFAMILY",
      "OBJECT_PUBLICATION",
      "OBJECT_SUBSCRIPTION",
      "OBJECT_TABLESPACE",
      "OBJECT_TSCONFIGURATION",
      "OBJECT_TSDICTIONARY",
      "OBJECT_TSPARSER",
      "OBJECT_TSTEMPLATE",
    ],
    ({ name, newName }) => words(`${name} stays; ${newName} may be made beside it`),
  ),
];
