import type { ObjectType } from "libpg-query";
import { nameOf, objectParts, quoted, quotedRelation } from "../names.js";
import { beforeContract, type Rule, type Statement } from "../rule.js";

const drops = (kind: "relation" | "function" | "type" | "schema", name: string, word: string, types: ObjectType[]): Rule => ({
  name: `drop-${name}`,
  reason: `the live version still uses the ${name}, and what is dropped is lost`,
  phases: beforeContract,
  recipe: (subject) => `-- in a migration with "-- phase: contract", which runs when the version that uses it is gone
DROP ${word} ${subject.name};`,
  find: ({ node, start, known }: Statement) => {
    if (!("DropStmt" in node)) return [];
    const { removeType, objects = [] } = node.DropStmt;
    if (removeType === undefined || !types.includes(removeType)) return [];
    return objects
      .map(objectParts)
      .filter((parts) => !known.isFresh(kind, nameOf(parts)))
      .map((parts) => ({ at: start, subject: { name: quoted(...parts) } }));
  },
});

export const dropRules: Rule[] = [
  {
    name: "drop-column",
    reason: "the live version still reads and writes the column, and its values are lost",
    phases: beforeContract,
    recipe: ({ table, column }) => `-- in a migration with "-- phase: contract", which runs when the version that uses it is gone
ALTER TABLE ${table} DROP COLUMN ${column};`,
    find: ({ commands, known }) =>
      commands
        .filter(({ command, relation }) => command.subtype === "AT_DropColumn" && !known.isFreshRelation(relation))
        .map(({ at, command, relation }) => ({ at, subject: { table: quotedRelation(relation), column: quoted(command.name) } })),
  },
  drops("relation", "table", "TABLE", ["OBJECT_TABLE", "OBJECT_FOREIGN_TABLE"]),
  drops("schema", "schema", "SCHEMA", ["OBJECT_SCHEMA"]),
  drops("relation", "view", "VIEW", ["OBJECT_VIEW", "OBJECT_MATVIEW"]),
  drops("function", "function", "FUNCTION", ["OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_ROUTINE", "OBJECT_AGGREGATE"]),
  drops("type", "type", "TYPE", ["OBJECT_TYPE", "OBJECT_DOMAIN"]),
  drops("relation", "sequence", "SEQUENCE", ["OBJECT_SEQUENCE"]),
];
