import { printable, quoted, strings, elementsOf } from "../../sql/tree.js";
import { migration, words, commandLater, later, inContract, inTurn } from "../recipe.js";
import { allPhases, beforeContract, type Rule, type Statement } from "../rule.js";

/** Rights that a role may be given without taking any. */
const grants = new Set(["canlogin", "createdb", "createrole", "inherit", "isreplication", "superuser"]);

export const objectRules: Rule[] = [
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

function altered({ node, known }: Statement) {
  if (!("AlterDomainStmt" in node)) return undefined;
  const { subtype, typeName, def } = node.AlterDomainStmt;
  if (known.isFreshName("type", known.scope.name("type", strings(typeName)))) return undefined;
  const constraint = def !== undefined && "Constraint" in def ? def.Constraint : undefined;
  return { subtype, domain: quoted(...strings(typeName)), constraint };
}

/** SET NOT NULL, ADD without NOT VALID, VALIDATE. */
function isScan({
  subtype,
  constraint,
}: {
  subtype?: string | undefined;
  constraint: { skip_validation?: boolean } | undefined;
}): boolean {
  return subtype === "O" || subtype === "V" || (subtype === "C" && constraint?.skip_validation !== true);
}

const validated =
  "validate the constraint: before PostgreSQL 18 it stops the writes of every table with a column of the domain, so that they have to be small";

export const domainRules: Rule[] = [
  {
    name: "domain-scan",
    reason:
      "every table with a column of the domain is read, one after the other, while none of them takes writes",
    phases: allPhases,
    example: "ALTER DOMAIN zip ADD CONSTRAINT zip_length CHECK (length(VALUE) = 5);",
    find: (statement) => {
      const each = altered(statement);
      if (each === undefined || !isScan(each)) return [];
      const { source, start } = statement;
      if (each.constraint === undefined || each.constraint.contype !== "CONSTR_CHECK")
        return [
          {
            at: start,
            recipe: words(
              "a CHECK (… IS NOT NULL) on each table that has a column of the domain: NOT VALID in contract, and then validated",
            ),
          },
        ];
      const name = each.constraint.conname ?? `${each.domain.replace(/^.*\./, "")}_check`;
      const check = source.slice(
        source.find("CHECK", each.constraint.location ?? start)?.at ?? start,
        source.end,
      );
      return [
        {
          at: start,
          recipe: inTurn(
            migration(
              "contract",
              `ALTER DOMAIN ${each.domain} ADD CONSTRAINT ${quoted(name)} ${check} NOT VALID;`,
            ),
            migration("contract", `ALTER DOMAIN ${each.domain} VALIDATE CONSTRAINT ${quoted(name)};`, {
              assure: `domain-scan: ${validated}`,
            }),
          ),
        },
      ];
    },
  },
  {
    name: "change-domain",
    reason:
      "values of the domain that the live version writes are refused, or ones that it does not know come to it, from then on",
    phases: beforeContract,
    example: "ALTER DOMAIN zip SET DEFAULT '00000';",
    find: (statement) => {
      const each = altered(statement);
      return each === undefined || isScan(each)
        ? []
        : [{ at: statement.start, recipe: inContract(statement.source.text) }];
    },
  },
];
