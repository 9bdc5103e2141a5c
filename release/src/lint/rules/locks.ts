import { rangeVars, shareLock } from "../locks.js";
import { quotedRelation, isOn } from "../../sql/tree.js";
import { inContract, migration, words } from "../recipe.js";
import { allPhases, beforeContract, type Rule } from "../rule.js";

const rewriting = new Set(["AT_SetLogged", "AT_SetUnLogged", "AT_SetTableSpace", "AT_SetAccessMethod"]);

export const lockRules: Rule[] = [
  {
    name: "lock-table",
    reason: "nobody else writes to the table, or even reads it, until the migration ends",
    phases: allPhases,
    example: "LOCK TABLE orders;",
    find: ({ node, start, known }) =>
      "LockStmt" in node && (node.LockStmt.mode ?? 8) >= shareLock
        ? rangeVars(node.LockStmt.relations)
            .filter((relation) => !known.isFreshData(relation))
            .map(() => ({ at: start, recipe: words("leave it out: statements lock what they need") }))
        : [],
  },
  {
    name: "truncate",
    reason: "the live version's rows are gone",
    phases: beforeContract,
    example: "TRUNCATE orders;",
    find: ({ node, start, known, source }) =>
      "TruncateStmt" in node
        ? rangeVars(node.TruncateStmt.relations)
            .filter((relation) => !known.isFreshRelation(relation))
            .map(() => ({ at: start, recipe: inContract(source.text) }))
        : [],
  },
  {
    name: "vacuum-full",
    reason: "the whole table is rewritten under a lock that blocks reads too",
    phases: allPhases,
    example: "-- no-transaction\nVACUUM FULL orders;",
    find: ({ node, start, phase }) => {
      if (!("VacuumStmt" in node) || !isOn(node.VacuumStmt.options, "full")) return [];
      const tables = (node.VacuumStmt.rels ?? []).flatMap((each) =>
        "VacuumRelation" in each ? [quotedRelation(each.VacuumRelation.relation)] : [],
      );
      return [
        {
          at: start,
          recipe: `${migration(phase, `VACUUM ${tables.join(", ")}`.trim(), { noTransaction: true })};\n${words("to give space back: pg_repack")}`,
        },
      ];
    },
  },
  {
    name: "cluster",
    reason: "the whole table is rewritten under a lock that blocks reads too",
    phases: allPhases,
    example: "CLUSTER orders USING orders_pkey;",
    find: ({ node, start, known }) =>
      "ClusterStmt" in node && !known.isFreshRelation(node.ClusterStmt.relation)
        ? [{ at: start, recipe: words("pg_repack, which orders a table beside its users") }]
        : [],
  },
  {
    name: "refresh-view",
    reason: "the view cannot be read until its query has ended",
    phases: allPhases,
    example: "REFRESH MATERIALIZED VIEW order_sums;",
    find: ({ node, start, known, phase }) =>
      "RefreshMatViewStmt" in node &&
      node.RefreshMatViewStmt.concurrent !== true &&
      !known.isFreshRelation(node.RefreshMatViewStmt.relation)
        ? [
            {
              at: start,
              recipe: `${migration(phase, `REFRESH MATERIALIZED VIEW CONCURRENTLY ${quotedRelation(node.RefreshMatViewStmt.relation)};`)} -- needs a unique index on it`,
            },
          ]
        : [],
  },
  {
    name: "rewrite-table",
    reason: "the whole table is copied under a lock that blocks reads too",
    phases: allPhases,
    example: "ALTER TABLE addresses SET UNLOGGED;",
    find: ({ node, start, commands, known }) => {
      const recipe = words(
        "a new table beside it (LIKE … INCLUDING ALL), filled by a trigger and a backfill; or pg_repack",
      );
      if ("AlterTableMoveAllStmt" in node) return [{ at: start, recipe }];
      return commands
        .filter(
          ({ command: { subtype = "" }, relation }) =>
            rewriting.has(subtype) && !known.isFreshRelation(relation),
        )
        .map(({ at }) => ({ at, recipe }));
    },
  },
];
