import type { Node, ObjectType, RangeVar } from "libpg-query";
import { columnsOf, constraintName, constraintsOf, refusesNoMore } from "../facts.js";
import { made } from "../made.js";
import { objectParts, quoted, sameText } from "../../sql/tree.js";
import { inContract, inTurn, migration } from "../recipe.js";
import { allPhases, beforeContract, type Match, type Rule, type Statement } from "../rule.js";
import { kindOf } from "../scope.js";

/** What CREATE OR REPLACE knows, by its word. */
const replaceable: Partial<Record<ObjectType, string>> = {
  OBJECT_VIEW: "VIEW",
  OBJECT_FUNCTION: "FUNCTION",
  OBJECT_PROCEDURE: "PROCEDURE",
  OBJECT_TRIGGER: "TRIGGER",
};

const drops = (
  name: string,
  what: string,
  example: string,
  types: ObjectType[],
  isUnused: (object: Node, statement: Statement) => boolean = () => false,
): Rule => ({
  name,
  reason: `the live version still uses the ${what}, and what is dropped is lost`,
  phases: beforeContract,
  example,
  find: (statement) =>
    droppedOf(statement, types)
      .filter((object) => !isUnused(object, statement))
      .map((object) => ({ at: statement.start, recipe: instead(statement, object) })),
});

/** The objects of some types that a DROP takes away, except those that the file has made. */
function droppedOf({ node, known }: Statement, types: ObjectType[]): Node[] {
  if (!("DropStmt" in node)) return [];
  const { removeType = "OBJECT_TABLE", objects = [] } = node.DropStmt;
  return types.includes(removeType) ? objects.filter((object) => !known.isFresh(removeType, object)) : [];
}

/**
 * DROP and CREATE in one file is a change: with OR REPLACE, rights and what depends on the object stay.
 * Otherwise, later.
 */
function instead({ node, source, known, after, phase }: Statement, object: Node): string {
  const type = "DropStmt" in node ? (node.DropStmt.removeType ?? "OBJECT_TABLE") : "OBJECT_TABLE";
  const word = replaceable[type];
  const name = known.scope.object(type, object);
  const again =
    word === undefined
      ? undefined
      : after().find((each) =>
          made(each.node, known).some(
            (one) =>
              kindOf(one.type) === kindOf(type) && (one.name === name || one.name.startsWith(`${name}(`)),
          ),
        );
  if (again === undefined) return inContract(source.text);
  const create = source.of(again.start, again.end);
  return migration(phase, `${create.with("OR REPLACE", create.find("CREATE")?.end ?? again.start)};`);
}

const whole = (
  name: string,
  reason: string,
  phases: Rule["phases"],
  example: string,
  isBad: (statement: Statement) => boolean,
): Rule => ({
  name,
  reason,
  phases,
  example,
  find: (statement): Match[] =>
    isBad(statement) ? [{ at: statement.start, recipe: inContract(statement.source.text) }] : [],
});

export const dropRules: Rule[] = [
  {
    name: "drop-column",
    reason: "the live version still reads and writes the column, and its values are lost",
    phases: beforeContract,
    example: "ALTER TABLE orders DROP COLUMN note;",
    find: ({ commands, known }) =>
      commands
        .filter(
          ({ command, relation }) =>
            command.subtype === "AT_DropColumn" &&
            !known.isFreshRelation(relation) &&
            !known.isFreshColumn(relation, command.name),
        )
        .map(({ at, sql }) => ({ at, recipe: inContract(sql) })),
  },
  drops("drop-table", "table", "DROP TABLE audit;", ["OBJECT_TABLE", "OBJECT_FOREIGN_TABLE"]),
  drops("drop-schema", "schema", "DROP SCHEMA shop;", ["OBJECT_SCHEMA"]),
  drops("drop-view", "view", "DROP VIEW order_totals;", ["OBJECT_VIEW", "OBJECT_MATVIEW"]),
  drops(
    "drop-function",
    "function",
    "DROP FUNCTION price_of(bigint);",
    ["OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_ROUTINE", "OBJECT_AGGREGATE"],
    // Without CASCADE, PostgreSQL drops it when no trigger calls it any more, and nobody else can.
    (object, { node, known }) => isRestricted(node) && known.isTriggerFunction(object),
  ),
  drops(
    "drop-type",
    "type",
    "DROP TYPE feeling;",
    ["OBJECT_TYPE", "OBJECT_DOMAIN"],
    // rename-type has found it, and no column is of it any more.
    (object, { node, known }) => isRestricted(node) && known.isRenamedType(object),
  ),
  drops("drop-sequence", "sequence", "DROP SEQUENCE order_numbers;", ["OBJECT_SEQUENCE"]),
  drops(
    "drop-trigger",
    "trigger or rule: it may be what keeps its rows right",
    "DROP TRIGGER orders_audit ON orders;",
    ["OBJECT_TRIGGER", "OBJECT_RULE"],
  ),
  drops("drop-policy", "policy: it decides which rows it sees", "DROP POLICY own_secrets ON secrets;", [
    "OBJECT_POLICY",
  ]),
  {
    name: "drop-constraint",
    reason:
      "the live version relies on it: ON CONFLICT looks for its index, and readers for what it rules out",
    phases: beforeContract,
    example: "ALTER TABLE orders DROP CONSTRAINT orders_number_key;",
    find: (statement) => {
      const { commands, known } = statement;
      return commands
        .filter(
          ({ command, relation }) =>
            command.subtype === "AT_DropConstraint" &&
            !known.isFreshRelation(relation) &&
            !known.isFreshName(
              "OBJECT_TABCONSTRAINT",
              `${known.scope.relation(relation)} ${command.name ?? ""}`,
            ) &&
            !isAddedAgain(statement, relation, command.name ?? ""),
        )
        .map(({ at, sql }) => ({ at, recipe: inContract(sql) }));
    },
  },
  {
    name: "drop-live-index",
    reason:
      "the live version's queries lose their index, and its ON CONFLICT the uniqueness that it looks for",
    phases: beforeContract,
    example: "-- no-transaction\nDROP INDEX CONCURRENTLY orders_customer_idx;",
    find: (statement) =>
      "DropStmt" in statement.node && statement.node.DropStmt.concurrent === true
        ? droppedOf(statement, ["OBJECT_INDEX"]).map((object) => ({
            at: statement.start,
            recipe: dropIndex(object, isIfExists(statement)),
          }))
        : [],
  },
  {
    name: "drop-index",
    reason: "waits for all sessions that use the table, and blocks all later ones",
    phases: allPhases,
    example: "DROP INDEX orders_customer_idx;",
    find: (statement) => {
      const { node, start } = statement;
      if (!("DropStmt" in node) || node.DropStmt.concurrent === true) return [];
      const indexes = droppedOf(statement, ["OBJECT_INDEX"]);
      const recipe = inTurn(...indexes.map((object) => dropIndex(object, isIfExists(statement))));
      return indexes.map(() => ({ at: start, recipe }));
    },
  },
  drops("drop-object", "object", "DROP COLLATION german;", [
    "OBJECT_ACCESS_METHOD",
    "OBJECT_CAST",
    "OBJECT_COLLATION",
    "OBJECT_CONVERSION",
    "OBJECT_EVENT_TRIGGER",
    "OBJECT_EXTENSION",
    "OBJECT_FDW",
    "OBJECT_FOREIGN_SERVER",
    "OBJECT_LANGUAGE",
    "OBJECT_OPCLASS",
    "OBJECT_OPERATOR",
    "OBJECT_OPFAMILY",
    "OBJECT_PUBLICATION",
    "OBJECT_STATISTIC_EXT",
    "OBJECT_TRANSFORM",
    "OBJECT_TSCONFIGURATION",
    "OBJECT_TSDICTIONARY",
    "OBJECT_TSPARSER",
    "OBJECT_TSTEMPLATE",
  ]),
  whole(
    "drop-role",
    "the live version logs in with it, or connects by what belongs to it",
    beforeContract,
    "DROP ROLE shop_guest;",
    ({ node, known }) => {
      if ("DropRoleStmt" in node)
        return (node.DropRoleStmt.roles ?? []).some(
          (role) => "RoleSpec" in role && !known.isFreshName("OBJECT_ROLE", role.RoleSpec.rolename ?? ""),
        );
      if ("DropUserMappingStmt" in node)
        return !known.isFreshName(
          "OBJECT_USER_MAPPING",
          `${node.DropUserMappingStmt.user?.rolename ?? ""} ${node.DropUserMappingStmt.servername ?? ""}`,
        );
      return (
        "DropSubscriptionStmt" in node &&
        !known.isFreshName("OBJECT_SUBSCRIPTION", node.DropSubscriptionStmt.subname ?? "")
      );
    },
  ),
  {
    name: "drop-database",
    reason: "everything in it goes, for every version",
    phases: allPhases,
    example: "-- no-transaction\nDROP DATABASE shop;",
    find: ({ node, start, known }) => {
      const isBad =
        ("DropdbStmt" in node && !known.isFreshName("OBJECT_DATABASE", node.DropdbStmt.dbname ?? "")) ||
        ("DropTableSpaceStmt" in node &&
          !known.isFreshName("OBJECT_TABLESPACE", node.DropTableSpaceStmt.tablespacename ?? ""));
      return isBad
        ? [{ at: start, recipe: "-- no migration's business: by hand, when nobody is connected any more" }]
        : [];
    },
  },
  {
    name: "drop-owned",
    reason: "everything that the role owns goes, and its rights with it, whoever uses them",
    phases: allPhases,
    example: "DROP OWNED BY shop_app;",
    find: ({ node, start }) =>
      "DropOwnedStmt" in node
        ? [
            {
              at: start,
              recipe: "-- each object by its name, in contract: DROP TABLE, DROP FUNCTION, REVOKE",
            },
          ]
        : [],
  },
];

/** Without CASCADE, PostgreSQL drops nothing that something else is made of. */
function isRestricted(node: Node): boolean {
  return "DropStmt" in node && node.DropStmt.behavior === "DROP_RESTRICT";
}

/**
 * Whether the same transaction adds the constraint again, which then refuses and promises the same: nobody else
 * sees the table without it.
 */
function isAddedAgain(
  { node, known, inTransaction, after }: Statement,
  relation: RangeVar | undefined,
  name: string,
): boolean {
  const table = known.table(relation);
  if (table === undefined || !inTransaction) return false;
  const key = table.keys.get(name);
  const reference = table.references.get(name);
  const check = table.checks.get(name);
  const added = [node, ...after().map((each) => each.node)].flatMap((each) =>
    "AlterTableStmt" in each &&
    known.scope.relation(each.AlterTableStmt.relation) === known.scope.relation(relation)
      ? (each.AlterTableStmt.cmds ?? []).flatMap((command) =>
          "AlterTableCmd" in command && command.AlterTableCmd.subtype === "AT_AddConstraint"
            ? constraintsOf([command.AlterTableCmd.def ?? command])
            : [],
        )
      : [],
  );
  return added
    .filter((each) => constraintName(each, relation?.relname ?? "") === name)
    .some((each) => {
      const isKey = each.contype === "CONSTR_UNIQUE" || each.contype === "CONSTR_PRIMARY";
      // ON CONFLICT takes no deferrable one.
      if (key !== undefined)
        return isKey && each.deferrable !== true && columnsOf(each).join(" ") === key.join(" ");
      if (reference !== undefined)
        return each.contype === "CONSTR_FOREIGN" && refusesNoMore(known.reference(each), reference);
      return each.contype === "CONSTR_CHECK" && sameText(each.raw_expr, check?.expression);
    });
}

function isIfExists({ node }: Statement): boolean {
  return "DropStmt" in node && node.DropStmt.missing_ok === true;
}

/** Concurrently, an index is dropped by itself. */
function dropIndex(object: Node, ifExists: boolean): string {
  return migration(
    "contract",
    `DROP INDEX CONCURRENTLY ${ifExists ? "IF EXISTS " : ""}${quoted(...objectParts(object))};`,
    { noTransaction: true },
  );
}
