import { nameOf, objectParts, printable, quoted, quotedRelation, relationName, strings } from "../names.js";
import { allPhases, beforeContract, type Rule } from "../rule.js";

export const accessRules: Rule[] = [
  {
    name: "set-schema",
    reason: "the live version goes on looking for it in the old schema",
    phases: allPhases,
    recipe: ({ name, newName }) => `-- expand: a view where the new version looks; nothing moves
CREATE VIEW ${newName}.… AS SELECT * FROM ${name};`,
    find: ({ node, start, known }) => {
      if (!("AlterObjectSchemaStmt" in node)) return [];
      const { relation, object, newschema } = node.AlterObjectSchemaStmt;
      const parts = relation === undefined ? objectParts(object) : [relation.schemaname ?? "", relation.relname ?? ""];
      const isFresh = relation === undefined ? known.isFresh("function", nameOf(parts)) || known.isFresh("type", nameOf(parts)) : known.isFresh("relation", relationName(relation));
      return isFresh ? [] : [{ at: start, subject: { name: quoted(...parts), newName: quoted(newschema) } }];
    },
  },
  {
    name: "revoke",
    reason: "the live version loses a right that it uses",
    phases: beforeContract,
    recipe: ({ name }) => `-- in a migration with "-- phase: contract"
REVOKE … ON ${name} FROM …;`,
    find: ({ node, start, known }) => {
      if ("GrantRoleStmt" in node && node.GrantRoleStmt.is_grant !== true) return [{ at: start }];
      if (!("GrantStmt" in node) || node.GrantStmt.is_grant === true) return [];
      const kind = node.GrantStmt.objtype;
      const live = (node.GrantStmt.objects ?? []).map(objectParts).filter((parts) => {
        const name = nameOf(parts);
        return !known.isFresh(kind === "OBJECT_FUNCTION" || kind === "OBJECT_PROCEDURE" ? "function" : kind === "OBJECT_SCHEMA" ? "schema" : kind === "OBJECT_TYPE" ? "type" : "relation", name);
      });
      return live.map((parts) => ({ at: start, subject: { name: quoted(...parts) } }));
    },
  },
  {
    name: "enable-rls",
    reason: "without a policy for it, the live version sees no row from this moment on",
    phases: beforeContract,
    recipe: ({ table }) => `-- expand: policies for both versions first
CREATE POLICY … ON ${table} …;
-- contract
ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;`,
    find: ({ commands, known }) =>
      commands
        .filter(({ command, relation }) => (command.subtype === "AT_EnableRowSecurity" || command.subtype === "AT_ForceRowSecurity") && !known.isFreshRelation(relation))
        .map(({ at, relation }) => ({ at, subject: { table: quotedRelation(relation) } })),
  },
  {
    name: "drop-owned",
    reason: "everything that the role owns goes, and its rights with it, whoever uses them",
    phases: allPhases,
    recipe: () => "DROP TABLE …; -- by name, in contract",
    find: ({ node, start }) => ("DropOwnedStmt" in node ? [{ at: start }] : []),
  },
  {
    name: "rename-enum-value",
    reason: "the live version goes on writing the old value, which is refused from this moment on",
    phases: allPhases,
    recipe: ({ type, name, newName }) => `-- expand: both values
ALTER TYPE ${type} ADD VALUE ${newName};
-- backfill: rows with ${name}, in batches; nobody writes it any more in contract`,
    find: ({ node, start, known }) => {
      if (!("AlterEnumStmt" in node) || node.AlterEnumStmt.oldVal === undefined) return [];
      const { typeName, oldVal, newVal = "" } = node.AlterEnumStmt;
      if (known.isFresh("type", nameOf(strings(typeName)))) return [];
      return [{ at: start, subject: { type: quoted(...strings(typeName)), name: literal(oldVal), newName: literal(newVal) } }];
    },
  },
];

function literal(text: string): string {
  return `'${printable(text).replaceAll("'", "''")}'`;
}
