import type { IndexStmt, RangeVar } from "libpg-query";
import { indexName } from "../facts.js";
import { comesWithTable } from "../locks.js";
import { quoted, quotedRelation, isOn } from "../../sql/tree.js";
import { inTurn, migration, words } from "../recipe.js";
import { allPhases, beforeContract, type Rule, type Statement } from "../rule.js";

/** As it is written, concurrently and with a name. */
function concurrently({ source, start }: Statement, index: IndexStmt): string {
  const place = source.find("CONCURRENTLY", start) ?? source.find("INDEX", start);
  const word = index.concurrent === true ? "" : "CONCURRENTLY";
  return source.with(
    [word, ...(index.idxname === undefined ? [quoted(indexName(index))] : [])]
      .filter((part) => part !== "")
      .join(" "),
    place?.end ?? start,
  );
}

/**
 * A partitioned table takes no index concurrently: an empty one above, and the partitions' own, which make it
 * valid.
 */
function onEachPartition(statement: Statement, index: IndexStmt): string {
  const { known, source, phase } = statement;
  const name = quoted(indexName(index));
  const rest = source.slice(source.find("USING")?.at ?? source.find("(")?.at ?? source.first, source.end);
  const word = index.unique === true ? "UNIQUE INDEX" : "INDEX";
  const partitions =
    known
      .table(index.relation)
      ?.partitions.map((partition) => quoted(...partition.replace(/^public\./, "").split("."))) ?? [];
  return inTurn(
    migration(phase, `CREATE ${word} ${name} ON ONLY ${quotedRelation(index.relation)} ${rest};`),
    ...partitions.map((partition) =>
      migration(phase, `CREATE ${word} CONCURRENTLY ${partIndex(partition, name)} ON ${partition} ${rest};`, {
        noTransaction: true,
      }),
    ),
    ...partitions.map((partition) =>
      migration(phase, `ALTER INDEX ${name} ATTACH PARTITION ${partIndex(partition, name)};`),
    ),
    ...(partitions.length === 0
      ? [words("for each partition: CREATE INDEX CONCURRENTLY, and then ALTER INDEX … ATTACH PARTITION")]
      : []),
  );
}

function partIndex(partition: string, name: string): string {
  return quoted(`${partition.replaceAll('"', "").replaceAll(".", "_")}_${name.replaceAll('"', "")}`);
}

/** ON ONLY a partitioned table: an empty index, which is valid when those of the partitions are attached. */
function isOnParentOnly(index: IndexStmt, { known }: Statement): boolean {
  const table = known.table(index.relation);
  return index.relation?.inh !== true && (table === undefined || table.isPartitioned || !table.isComplete);
}

function isPartitioned(relation: RangeVar | undefined, { known }: Statement): boolean {
  return known.table(relation)?.isPartitioned === true && !known.isFreshRelation(relation);
}

/**
 * Whether a unique index refuses nothing that the live version writes, for certain: it holds a whole key that
 * is unique already, or was before this file, or a column of this file that the live version leaves NULL, and NULLs are no duplicates.
 */
function refusesNothing(
  { relation, indexParams = [], nulls_not_distinct }: IndexStmt,
  { known }: Statement,
): boolean {
  const table = known.table(relation);
  const columns = indexParams.flatMap((node) =>
    "IndexElem" in node && node.IndexElem.name !== undefined ? [node.IndexElem.name] : [],
  );
  if (
    [...(table?.keys.values() ?? []), ...(table?.dropped.keys ?? [])].some(
      (key) => key.length > 0 && key.every((column) => columns.includes(column)),
    )
  )
    return true;
  if (nulls_not_distinct === true) return false;
  return columns.some((name) => {
    const column = table?.columns.get(name);
    return (
      column?.isFresh === true &&
      !column.isFilled &&
      column.first === undefined &&
      column.default === undefined
    );
  });
}

export const indexRules: Rule[] = [
  {
    name: "create-index",
    reason: "the table takes no writes until the index is built",
    phases: allPhases,
    example: "CREATE INDEX orders_placed_idx ON orders (placed);",
    find: (statement) => {
      const { node, start, known, phase } = statement;
      if (!("IndexStmt" in node)) return [];
      const index = node.IndexStmt;
      if (
        index.concurrent === true ||
        known.isFreshRelation(index.relation) ||
        isOnParentOnly(index, statement) ||
        comesWithTable(index, known)
      )
        return [];
      if (isPartitioned(index.relation, statement))
        return [{ at: start, recipe: onEachPartition(statement, index) }];
      const when = index.unique === true && !refusesNothing(index, statement) ? "contract" : phase;
      return [
        { at: start, recipe: migration(when, `${concurrently(statement, index)};`, { noTransaction: true }) },
      ];
    },
  },
  {
    name: "unique-before-contract",
    reason: "the live version's second row of a value is refused from then on",
    phases: beforeContract,
    example: "-- no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY orders_total_idx ON orders (total);",
    find: (statement) => {
      const { node, start, known } = statement;
      if (!("IndexStmt" in node) || node.IndexStmt.unique !== true) return [];
      const index = node.IndexStmt;
      if (
        known.isFreshRelation(index.relation) ||
        comesWithTable(index, known) ||
        refusesNothing(index, statement)
      )
        return [];
      // An empty index refuses nothing.
      if (index.relation?.inh !== true && known.table(index.relation)?.isPartitioned === true) return [];
      return [
        {
          at: start,
          recipe: migration("contract", `${concurrently(statement, index)};`, { noTransaction: true }),
        },
      ];
    },
  },
  {
    name: "not-on-partitioned",
    reason: "PostgreSQL refuses it on a partitioned table",
    phases: allPhases,
    example: "-- no-transaction\nCREATE INDEX CONCURRENTLY readings_meter_idx ON readings (meter);",
    before: "CREATE TABLE readings (taken date NOT NULL, meter int) PARTITION BY RANGE (taken);",
    find: (statement) => {
      const { node, start, known, commands } = statement;
      if ("AlterTableStmt" in node) {
        return commands
          .filter(
            ({ command: { def }, relation }) =>
              def !== undefined &&
              "Constraint" in def &&
              isPartitioned(relation, statement) &&
              (def.Constraint.indexname !== undefined ||
                (def.Constraint.contype === "CONSTR_FOREIGN" && def.Constraint.skip_validation === true)),
          )
          .map(({ at }) => ({
            at,
            recipe: words(
              "on each partition by itself: the index or the foreign key, NOT VALID and then validated",
              "then on the partitioned table, which takes over what its partitions have; foreign keys NOT VALID are there from PostgreSQL 18 on",
            ),
          }));
      }
      if ("IndexStmt" in node) {
        const { concurrent, relation } = node.IndexStmt;
        return concurrent === true && isPartitioned(relation, statement)
          ? [{ at: start, recipe: onEachPartition(statement, node.IndexStmt) }]
          : [];
      }
      if (!("DropStmt" in node) || node.DropStmt.concurrent !== true) return [];
      const isBad = (node.DropStmt.objects ?? []).some(
        (object) =>
          known.tableNamed(known.index(known.scope.object("OBJECT_INDEX", object))?.table ?? "")
            ?.isPartitioned === true,
      );
      return isBad
        ? [
            {
              at: start,
              recipe: words(
                "in contract: DROP INDEX without CONCURRENTLY, which drops those of the partitions",
                "assure drop-index: what the short lock means for the users of this table",
              ),
            },
          ]
        : [];
    },
  },
  {
    name: "reindex",
    reason:
      "the table takes no writes until the index is built again, and no reads either: planning one looks at every index",
    phases: allPhases,
    example: "REINDEX TABLE orders;",
    find: ({ node, start, known, phase }) => {
      if (
        !("ReindexStmt" in node) ||
        isOn(node.ReindexStmt.params, "concurrently") ||
        known.isFreshRelation(node.ReindexStmt.relation)
      )
        return [];
      const { kind = "REINDEX_OBJECT_TABLE", relation, name } = node.ReindexStmt;
      if (kind === "REINDEX_OBJECT_SYSTEM")
        return [{ at: start, recipe: words("no migration's business: by hand, when nobody is connected") }];
      return [
        {
          at: start,
          recipe: migration(
            phase,
            `REINDEX ${kind.replace("REINDEX_OBJECT_", "")} CONCURRENTLY ${quotedRelation(relation) || quoted(name)};`,
            { noTransaction: true },
          ),
        },
      ];
    },
  },
  {
    name: "detach-partition",
    reason: "waits for all sessions that use the table, and blocks all later ones",
    phases: allPhases,
    example: "ALTER TABLE readings DETACH PARTITION readings_2023;",
    find: ({ commands, known, phase }) =>
      commands.flatMap(({ at, command: { subtype, def }, relation, sql }) => {
        if (
          subtype !== "AT_DetachPartition" ||
          def === undefined ||
          !("PartitionCmd" in def) ||
          def.PartitionCmd.concurrent === true ||
          known.isFreshRelation(relation)
        )
          return [];
        return [{ at, recipe: migration(phase, `${sql} CONCURRENTLY;`, { noTransaction: true }) }];
      }),
  },
];
