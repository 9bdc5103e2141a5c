import type { RangeVar } from "libpg-query";
import { quoted, quotedRelation } from "../names.js";
import { allPhases, beforeContract, type Rule } from "../rule.js";
import { hasOption } from "./indexes.js";

/** PostgreSQL's number of SHARE, the weakest lock that stops writes. */
const shareLock = 5;

function relationsOf(nodes: object[] | undefined): RangeVar[] {
  return (nodes ?? []).flatMap((node) => ("RangeVar" in node && isRelation(node.RangeVar) ? [node.RangeVar] : []));
}

function isRelation(value: unknown): value is RangeVar {
  return typeof value === "object" && value !== null && "relname" in value;
}

export const lockRules: Rule[] = [
  {
    name: "lock-table",
    reason: "nobody else writes to the table, or even reads it, until the migration ends",
    phases: allPhases,
    recipe: ({ table }) => `-- leave it out: statements lock what they need; if readers only are to be fenced off from DDL
LOCK TABLE ${table} IN ACCESS SHARE MODE;`,
    find: ({ node, start, known }) =>
      "LockStmt" in node && (node.LockStmt.mode ?? 8) >= shareLock
        ? relationsOf(node.LockStmt.relations)
            .filter((relation) => !known.isFreshRelation(relation))
            .map((relation) => ({ at: start, subject: { table: quotedRelation(relation) } }))
        : [],
  },
  {
    name: "truncate",
    reason: "the live version's rows are gone",
    phases: beforeContract,
    recipe: ({ table }) => `-- in a migration with "-- phase: contract"
TRUNCATE ${table};`,
    find: ({ node, start, known }) =>
      "TruncateStmt" in node
        ? relationsOf(node.TruncateStmt.relations)
            .filter((relation) => !known.isFreshRelation(relation))
            .map((relation) => ({ at: start, subject: { table: quotedRelation(relation) } }))
        : [],
  },
  {
    name: "vacuum-full",
    reason: "the whole table is rewritten under a lock that stops reads as well",
    phases: allPhases,
    recipe: () => "VACUUM …; -- without FULL; to give space back, pg_repack",
    find: ({ node, start }) => ("VacuumStmt" in node && hasOption(node.VacuumStmt.options, "full") ? [{ at: start }] : []),
  },
  {
    name: "cluster",
    reason: "the whole table is rewritten under a lock that stops reads as well",
    phases: allPhases,
    recipe: () => "-- pg_repack, which orders a table beside its users",
    find: ({ node, start, known }) => ("ClusterStmt" in node && !known.isFreshRelation(node.ClusterStmt.relation) ? [{ at: start }] : []),
  },
  {
    name: "refresh-view",
    reason: "the view cannot be read until its query has ended",
    phases: allPhases,
    recipe: ({ name }) => `REFRESH MATERIALIZED VIEW CONCURRENTLY ${name}; -- needs a unique index on it`,
    find: ({ node, start, known }) =>
      "RefreshMatViewStmt" in node && node.RefreshMatViewStmt.concurrent !== true && !known.isFreshRelation(node.RefreshMatViewStmt.relation)
        ? [{ at: start, subject: { name: quotedRelation(node.RefreshMatViewStmt.relation) } }]
        : [],
  },
  {
    name: "rewrite-table",
    reason: "the whole table is copied under a lock that stops reads as well",
    phases: allPhases,
    recipe: ({ table }) => `CREATE TABLE … (LIKE ${table} INCLUDING ALL) …; -- a new table, filled by trigger and backfill; or pg_repack`,
    find: ({ commands, known }) =>
      commands
        .filter(({ command: { subtype = "AT_AddColumn" }, relation }) => ["AT_SetLogged", "AT_SetUnLogged", "AT_SetTableSpace", "AT_SetAccessMethod"].includes(subtype) && !known.isFreshRelation(relation))
        .map(({ at, command, relation }) => ({ at, subject: { table: quotedRelation(relation), name: quoted(command.name) } })),
  },
];
