import type { IndexStmt } from "libpg-query";
import { nameOf, objectParts, quoted, quotedRelation } from "../names.js";
import { allPhases, type Rule } from "../rule.js";

export const alone = `-- a migration with "-- no-transaction", and nothing else in it`;

function columnsOf({ indexParams = [] }: IndexStmt): string {
  return indexParams.map((node) => ("IndexElem" in node && node.IndexElem.name !== undefined ? quoted(node.IndexElem.name) : "(…)")).join(", ");
}

/** REINDEX and VACUUM take their options as a list. */
export function hasOption(params: object[] | undefined, name: string): boolean {
  return (params ?? []).some((node) => "DefElem" in node && typeof node.DefElem === "object" && node.DefElem !== null && "defname" in node.DefElem && node.DefElem.defname === name);
}

export const indexRules: Rule[] = [
  {
    name: "create-index",
    reason: "the table takes no writes until the index is built",
    phases: allPhases,
    recipe: ({ name, table, column }) => `${alone}
CREATE INDEX CONCURRENTLY ${name} ON ${table} (${column});`,
    find: ({ node, start, known }) => {
      if (!("IndexStmt" in node) || node.IndexStmt.concurrent === true || known.isFreshRelation(node.IndexStmt.relation)) return [];
      const { idxname, relation } = node.IndexStmt;
      return [{ at: start, subject: { name: quoted(idxname ?? `${relation?.relname ?? ""}_…_idx`), table: quotedRelation(relation), column: columnsOf(node.IndexStmt) } }];
    },
  },
  {
    name: "drop-index",
    reason: "waits for everybody who uses the table, and stops everybody who comes after",
    phases: allPhases,
    recipe: ({ name }) => `${alone}
DROP INDEX CONCURRENTLY ${name};`,
    find: ({ node, start, known }) => {
      if (!("DropStmt" in node) || node.DropStmt.removeType !== "OBJECT_INDEX" || node.DropStmt.concurrent === true) return [];
      return (node.DropStmt.objects ?? [])
        .map(objectParts)
        .filter((parts) => !known.isFresh("relation", nameOf(parts)))
        .map((parts) => ({ at: start, subject: { name: quoted(...parts) } }));
    },
  },
  {
    name: "reindex",
    reason: "the table takes no writes until the index is built again, and no reads that would use it",
    phases: allPhases,
    recipe: ({ name }) => `${alone}
REINDEX (CONCURRENTLY) … ${name};`,
    find: ({ node, start, known }) => {
      if (!("ReindexStmt" in node) || hasOption(node.ReindexStmt.params, "concurrently") || known.isFreshRelation(node.ReindexStmt.relation)) return [];
      return [{ at: start, subject: { name: quotedRelation(node.ReindexStmt.relation) || quoted(node.ReindexStmt.name) } }];
    },
  },
  {
    name: "detach-partition",
    reason: "waits for everybody who uses the table, and stops everybody who comes after",
    phases: allPhases,
    recipe: ({ table, name }) => `${alone}
ALTER TABLE ${table} DETACH PARTITION ${name} CONCURRENTLY;`,
    find: ({ commands, known }) =>
      commands.flatMap(({ at, command: { subtype, def }, relation }) => {
        if (subtype !== "AT_DetachPartition" || def === undefined || !("PartitionCmd" in def) || def.PartitionCmd.concurrent === true || known.isFreshRelation(relation)) return [];
        return [{ at, subject: { table: quotedRelation(relation), name: quotedRelation(def.PartitionCmd.name) } }];
      }),
  },
];
