import type { ObjectType } from "libpg-query";
import { objectParts, quoted, quotedRelation } from "../../sql/tree.js";
import { inContract, migration, words, commandLater, later } from "../recipe.js";
import { allPhases, beforeContract, type Rule } from "../rule.js";

const disabling = new Set([
  "AT_DisableTrig",
  "AT_DisableTrigAll",
  "AT_DisableTrigUser",
  "AT_DisableRule",
  "AT_EnableReplicaTrig",
  "AT_EnableReplicaRule",
]);

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
];
