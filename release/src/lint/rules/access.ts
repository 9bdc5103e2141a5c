import type { FuncCall, Node, ObjectType } from "libpg-query";
import { evaluate } from "../check.js";
import type { Known } from "../known.js";
import { objectParts, printable, quoted, quotedRelation, strings } from "../../sql/names.js";
import { inContract, migration, words } from "../recipe.js";
import { allPhases, beforeContract, type Command, type Rule, type Statement } from "../rule.js";
import { elementsOf, nodesOf } from "../../sql/tree.js";

/** A statement that is right when the live version is gone. */
const later = (
  name: string,
  reason: string,
  example: string,
  isBad: (statement: Statement) => boolean,
): Rule => ({
  name,
  reason,
  phases: beforeContract,
  example,
  find: (statement) =>
    isBad(statement) ? [{ at: statement.start, recipe: inContract(statement.source.text) }] : [],
});

/** A command of ALTER TABLE that is. */
const commandLater = (
  name: string,
  reason: string,
  example: string,
  isBad: (command: Command, statement: Statement) => boolean,
): Rule => ({
  name,
  reason,
  phases: beforeContract,
  example,
  find: (statement) =>
    statement.commands
      .filter((each) => !statement.known.isFreshRelation(each.relation) && isBad(each, statement))
      .map(({ at, sql }) => ({ at, recipe: inContract(sql) })),
});

const disabling = new Set([
  "AT_DisableTrig",
  "AT_DisableTrigAll",
  "AT_DisableTrigUser",
  "AT_DisableRule",
  "AT_EnableReplicaTrig",
  "AT_EnableReplicaRule",
]);

/** Rights that a role may be given without taking any. */
const grants = new Set(["canlogin", "createdb", "createrole", "inherit", "isreplication", "superuser"]);

export const accessRules: Rule[] = [
  {
    name: "set-schema",
    reason: "the live version still looks for it in the old schema",
    phases: allPhases,
    example: "ALTER TABLE orders SET SCHEMA shop;",
    find: ({ node, start, known }) => {
      if (!("AlterObjectSchemaStmt" in node)) return [];
      const { objectType = "OBJECT_TABLE", relation, object, newschema } = node.AlterObjectSchemaStmt;
      if (relation === undefined ? known.isFresh(objectType, object) : known.isFreshRelation(relation))
        return [];
      const name = relation === undefined ? quoted(...objectParts(object)) : quotedRelation(relation);
      const isTable =
        objectType === "OBJECT_TABLE" ||
        objectType === "OBJECT_VIEW" ||
        objectType === "OBJECT_MATVIEW" ||
        objectType === "OBJECT_FOREIGN_TABLE";
      return [
        {
          at: start,
          recipe: isTable
            ? migration(
                "expand",
                `CREATE VIEW ${quoted(newschema, relation?.relname)} AS SELECT * FROM ${name};`,
              )
            : words(`${name} stays; in ${quoted(newschema)}, another one with the same body`),
        },
      ];
    },
  },
  later(
    "revoke",
    "the live version loses a right that it uses",
    "REVOKE SELECT ON orders FROM shop_app;",
    ({ node, known }) => {
      if ("GrantRoleStmt" in node) return node.GrantRoleStmt.is_grant !== true;
      if ("AlterRoleStmt" in node) return node.AlterRoleStmt.action === -1;
      if (!("GrantStmt" in node) || node.GrantStmt.is_grant === true) return false;
      const { objtype = "OBJECT_TABLE", objects = [], targtype, grantees = [] } = node.GrantStmt;
      if (
        grantees.every(
          (each) => "RoleSpec" in each && known.isFreshName("OBJECT_ROLE", each.RoleSpec.rolename ?? ""),
        )
      )
        return false;
      const type: ObjectType = targtype === "ACL_TARGET_ALL_IN_SCHEMA" ? "OBJECT_SCHEMA" : objtype;
      return (
        objects.length === 0 ||
        objects.some(
          (object) =>
            !("RangeVar" in object ? known.isFreshRelation(object.RangeVar) : known.isFresh(type, object)),
        )
      );
    },
  ),
  commandLater(
    "enable-rls",
    "without a policy for it, the live version sees no row from then on",
    "ALTER TABLE orders ENABLE ROW LEVEL SECURITY;",
    ({ command }) => command.subtype === "AT_EnableRowSecurity" || command.subtype === "AT_ForceRowSecurity",
  ),
  commandLater(
    "disable-rls",
    "the live version sees, and shows, rows that it has never had to hide itself",
    "ALTER TABLE secrets DISABLE ROW LEVEL SECURITY;",
    ({ command }) =>
      command.subtype === "AT_DisableRowSecurity" || command.subtype === "AT_NoForceRowSecurity",
  ),
  later(
    "change-policy",
    "the live version no longer sees rows that it saw, or may not write rows that it wrote",
    "CREATE POLICY late_secrets ON secrets AS RESTRICTIVE USING (id > 5);",
    ({ node, known }) => {
      if ("AlterPolicyStmt" in node)
        return (
          !known.isFreshRelation(node.AlterPolicyStmt.table) &&
          !known.isFreshName(
            "OBJECT_POLICY",
            `${known.scope.relation(node.AlterPolicyStmt.table)} ${node.AlterPolicyStmt.policy_name ?? ""}`,
          )
        );
      return (
        "CreatePolicyStmt" in node &&
        node.CreatePolicyStmt.permissive !== true &&
        !known.isFreshRelation(node.CreatePolicyStmt.table)
      );
    },
  ),
  later(
    "create-rule",
    "what the live version writes becomes another statement from then on",
    "CREATE RULE keep_orders AS ON DELETE TO orders DO INSTEAD NOTHING;",
    ({ node, known }) => "RuleStmt" in node && !known.isFreshRelation(node.RuleStmt.relation),
  ),
  commandLater(
    "disable-trigger",
    "what the trigger or rule does for the live version's rows, and for those of a dual write, is left out from then on",
    "ALTER TABLE orders DISABLE TRIGGER USER;",
    ({ command: { subtype = "", name = "" }, relation }, { known }) =>
      disabling.has(subtype) &&
      !known.isFreshName("OBJECT_TRIGGER", `${known.scope.relation(relation)} ${name}`),
  ),
  {
    name: "change-owner",
    reason: "a live version that connects as the owner loses the owner's rights",
    phases: beforeContract,
    example: "ALTER TABLE orders OWNER TO shop_app;",
    find: (statement) => {
      const { node, start, source, known, commands } = statement;
      const owned = commands
        .filter(
          ({ command, relation }) => command.subtype === "AT_ChangeOwner" && !known.isFreshRelation(relation),
        )
        .map(({ at, sql }) => ({ at, recipe: inContract(sql) }));
      const isBad =
        "ReassignOwnedStmt" in node ||
        ("AlterOwnerStmt" in node &&
          !(node.AlterOwnerStmt.relation === undefined
            ? known.isFresh(node.AlterOwnerStmt.objectType ?? "OBJECT_TABLE", node.AlterOwnerStmt.object)
            : known.isFreshRelation(node.AlterOwnerStmt.relation)));
      return isBad ? [...owned, { at: start, recipe: inContract(source.text) }] : owned;
    },
  },
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
  commandLater(
    "replica-identity",
    "replication of the table refuses the live version's UPDATE and DELETE",
    "ALTER TABLE orders REPLICA IDENTITY NOTHING;",
    ({ command: { subtype, def } }) =>
      subtype === "AT_ReplicaIdentity" &&
      def !== undefined &&
      "ReplicaIdentityStmt" in def &&
      def.ReplicaIdentityStmt.identity_type === "n",
  ),
  later(
    "alter-role",
    "the live version logs in with the role: what it may do, and how it connects, changes from then on",
    "ALTER ROLE shop_app NOLOGIN;",
    ({ node, known }) => {
      if ("AlterRoleSetStmt" in node)
        return !known.isFreshName("OBJECT_ROLE", node.AlterRoleSetStmt.role?.rolename ?? "");
      if (
        !("AlterRoleStmt" in node) ||
        node.AlterRoleStmt.action === -1 ||
        known.isFreshName("OBJECT_ROLE", node.AlterRoleStmt.role?.rolename ?? "")
      )
        return false;
      return elementsOf(node.AlterRoleStmt.options).some(
        ({ defname = "", arg }) =>
          defname !== "rolemembers" &&
          !(grants.has(defname) && arg !== undefined && "Boolean" in arg && arg.Boolean.boolval === true),
      );
    },
  ),
  {
    name: "alter-database",
    reason: "it reaches every session of the database or the server, of every version and of other apps",
    phases: allPhases,
    example: "ALTER DATABASE shop CONNECTION LIMIT 5;",
    find: ({ node, start, known }) => {
      const database =
        "AlterDatabaseStmt" in node
          ? node.AlterDatabaseStmt.dbname
          : "AlterDatabaseSetStmt" in node
            ? node.AlterDatabaseSetStmt.dbname
            : undefined;
      const isBad =
        "AlterSystemStmt" in node ||
        "AlterTableSpaceOptionsStmt" in node ||
        (database !== undefined && !known.isFreshName("OBJECT_DATABASE", database));
      return isBad
        ? [
            {
              at: start,
              recipe: words(
                "no migration's business: an operator's, by hand; what the app needs, it sets in its own sessions",
              ),
            },
          ]
        : [];
    },
  },
  {
    name: "rename-enum-value",
    reason: "the live version still writes the old value, which is refused from then on",
    phases: allPhases,
    example: "ALTER TYPE mood RENAME VALUE 'ok' TO 'fine';",
    find: ({ node, start, known }) => {
      if (!("AlterEnumStmt" in node) || node.AlterEnumStmt.oldVal === undefined) return [];
      const { typeName, oldVal, newVal = "" } = node.AlterEnumStmt;
      if (known.isFreshName("type", known.scope.name("type", strings(typeName)))) return [];
      return [
        {
          at: start,
          recipe: `${migration("expand", `ALTER TYPE ${quoted(...strings(typeName))} ADD VALUE ${literal(newVal)};`)}\n${words(`backfill: rows with ${literal(oldVal)}, in batches; nobody writes it any more in contract`)}`,
        },
      ];
    },
  },
  commandLater(
    "change-composite-type",
    "values that the live version writes have another shape than the type from then on",
    "ALTER TYPE address ADD ATTRIBUTE country text;",
    ({ command, of }) => command.subtype === "AT_AddColumn" && of === "OBJECT_TYPE",
  ),
  later(
    "alter-object",
    "the live version uses the object, which behaves differently, or refers to something else, from then on",
    "ALTER FUNCTION price_of(bigint) STRICT;",
    (statement) => isAltered(statement),
  ),
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

function isAltered({ node, commands, known }: Statement): boolean {
  if (
    commands.some(
      ({ command: { subtype = "" }, relation, of }) =>
        !known.isFreshRelation(relation) &&
        (subtype === "AT_GenericOptions" ||
          subtype === "AT_AlterColumnGenericOptions" ||
          (of === "OBJECT_VIEW" && subtype.endsWith("RelOptions"))),
    )
  )
    return true;
  if ("AlterFdwStmt" in node) return !known.isFreshName("OBJECT_FDW", node.AlterFdwStmt.fdwname ?? "");
  if ("AlterForeignServerStmt" in node)
    return !known.isFreshName("OBJECT_FOREIGN_SERVER", node.AlterForeignServerStmt.servername ?? "");
  if ("AlterUserMappingStmt" in node)
    return !known.isFreshName(
      "OBJECT_USER_MAPPING",
      `${node.AlterUserMappingStmt.user?.rolename ?? ""} ${node.AlterUserMappingStmt.servername ?? ""}`,
    );
  if ("AlterTSConfigurationStmt" in node)
    return (
      node.AlterTSConfigurationStmt.kind !== "ALTER_TSCONFIG_ADD_MAPPING" &&
      !known.isFreshName(
        "OBJECT_TSCONFIGURATION",
        known.scope.name("OBJECT_TSCONFIGURATION", strings(node.AlterTSConfigurationStmt.cfgname)),
      )
    );
  if ("AlterTSDictionaryStmt" in node)
    return !known.isFreshName(
      "OBJECT_TSDICTIONARY",
      known.scope.name("OBJECT_TSDICTIONARY", strings(node.AlterTSDictionaryStmt.dictname)),
    );
  if ("AlterOpFamilyStmt" in node) return node.AlterOpFamilyStmt.isDrop === true;
  if ("AlterFunctionStmt" in node)
    return (
      node.AlterFunctionStmt.func !== undefined &&
      !known.isFresh(node.AlterFunctionStmt.objtype ?? "OBJECT_FUNCTION", {
        ObjectWithArgs: node.AlterFunctionStmt.func,
      })
    );
  if ("AlterTypeStmt" in node)
    return !known.isFreshName("type", known.scope.name("type", strings(node.AlterTypeStmt.typeName)));
  if ("AlterOperatorStmt" in node)
    return (
      node.AlterOperatorStmt.opername !== undefined &&
      !known.isFresh("OBJECT_OPERATOR", { ObjectWithArgs: node.AlterOperatorStmt.opername })
    );
  if ("AlterEventTrigStmt" in node)
    return !known.isFreshName("OBJECT_EVENT_TRIGGER", node.AlterEventTrigStmt.trigname ?? "");
  if ("AlterExtensionStmt" in node)
    return !known.isFreshName("OBJECT_EXTENSION", node.AlterExtensionStmt.extname ?? "");
  if ("AlterExtensionContentsStmt" in node) return node.AlterExtensionContentsStmt.action === -1;
  if ("AlterPublicationStmt" in node)
    return (
      node.AlterPublicationStmt.action !== "AP_AddObjects" &&
      !known.isFreshName("OBJECT_PUBLICATION", node.AlterPublicationStmt.pubname ?? "")
    );
  return (
    "AlterSubscriptionStmt" in node &&
    !known.isFreshName("OBJECT_SUBSCRIPTION", node.AlterSubscriptionStmt.subname ?? "")
  );
}

function literal(text: string): string {
  return `'${printable(text).replaceAll("'", "''")}'`;
}
