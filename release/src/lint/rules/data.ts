import type { DeleteStmt, Node, SelectStmt, UpdateStmt } from "libpg-query";
import { isBounded, isBoundedQuery } from "../bounds.js";
import { quoted, quotedRelation, strings, nodesOf } from "../../sql/tree.js";
import { migration, words, range } from "../recipe.js";
import { allPhases, type Match, type Rule, type Statement } from "../rule.js";

/** The statement itself, in batches of a key; where it stands inside another one, the way to write it. */
function inBatches({ node, source, known }: Statement, { relation }: UpdateStmt | DeleteStmt): string {
  const table = quotedRelation(relation);
  const key = (known.keysOf(relation)[0] ?? ["id"]).map((column) => quoted(column));
  const batch = `${table} by ${key.join(", ")}`;
  if (!("UpdateStmt" in node) && !("DeleteStmt" in node))
    return words(
      "phase: backfill",
      `batch: ${batch}`,
      `an UPDATE or DELETE of ${table} WHERE ${range(key)}, which the runner commits batch by batch`,
    );
  const alias = quoted(relation?.alias?.aliasname ?? relation?.relname);
  const others = "UpdateStmt" in node ? node.UpdateStmt.fromClause : node.DeleteStmt.usingClause;
  const condition = range(others === undefined ? key : key.map((column) => `${alias}.${column}`));
  const where = source.outer("WHERE");
  const returning = source.outer("RETURNING");
  const end = returning?.at ?? source.end;
  const text =
    where === undefined
      ? `${source.slice(source.first, end)} WHERE ${condition}`
      : `${source.slice(source.first, where.end)} ${condition} AND (${source.slice(where.end, end)})`;
  return migration(
    "backfill",
    `${text}${returning === undefined ? "" : ` ${source.slice(returning.at, source.end)}`};`,
    { batch },
  );
}

function unbounded(statement: Statement, found: (UpdateStmt | DeleteStmt)[]): Match[] {
  return found
    .filter((each) => {
      const from =
        "fromClause" in each ? each.fromClause : "usingClause" in each ? each.usingClause : undefined;
      return (
        !statement.known.isFreshData(each.relation) &&
        !isBounded(statement, each.relation, each.whereClause, { from, with: each.withClause })
      );
    })
    .map((each) => ({ at: statement.start, recipe: inBatches(statement, each) }));
}

/** The parts of UNION, INTERSECT and EXCEPT. */
function partsOf(select: SelectStmt | undefined): SelectStmt[] {
  if (select === undefined) return [];
  return select.larg === undefined && select.rarg === undefined
    ? [select]
    : [...partsOf(select.larg), ...partsOf(select.rarg)];
}

const selectOf = (node: Node | undefined) =>
  node !== undefined && "SelectStmt" in node ? node.SelectStmt : undefined;

const changesManyRows = (node: Node): boolean =>
  nodesOf(node, "UpdateStmt").length +
    nodesOf(node, "DeleteStmt").length +
    nodesOf(node, "MergeStmt").length >
    0 ||
  nodesOf(node, "InsertStmt").some(({ selectStmt }) =>
    partsOf(selectOf(selectStmt)).some(({ fromClause }) => fromClause !== undefined),
  );

/** Locks rows of a table that others use, without a change. */
function locksManyRows(statement: Statement): boolean {
  const isLive = ({ fromClause }: SelectStmt) =>
    nodesOf(fromClause, "RangeVar").some((relation) => !statement.known.isFreshData(relation));
  if (
    nodesOf(statement.node, "SelectStmt").some(
      (select) => select.lockingClause !== undefined && isLive(select) && !isBoundedQuery(select, statement),
    )
  )
    return true;
  return nodesOf(statement.node, "InsertStmt").some(
    ({ relation, selectStmt, onConflictClause }) =>
      onConflictClause?.action === "ONCONFLICT_UPDATE" &&
      !statement.known.isFreshData(relation) &&
      partsOf(selectOf(selectStmt)).some(
        (select) => nodesOf(select.fromClause, "RangeVar").length > 0 && !isBoundedQuery(select, statement),
      ),
  );
}

/** Reads a table of others as a whole, as far as the statement says. */
function readsManyRows(statement: Statement): boolean {
  const { node, known } = statement;
  // What was prepared or opened before is read now.
  if ("FetchStmt" in node || nodesOf(node, "ExecuteStmt").length > 0) return true;
  if ("RefreshMatViewStmt" in node) return node.RefreshMatViewStmt.skipData !== true;
  if ("CopyStmt" in node) return node.CopyStmt.is_from !== true;
  // ANALYZE; VACUUM takes no transaction.
  if ("VacuumStmt" in node) return true;
  if (
    nodesOf(node, "FuncCall").some(
      ({ funcname }) => strings(funcname).at(-1)?.startsWith("pg_sleep") === true,
    )
  )
    return true;
  const isRead =
    "SelectStmt" in node ||
    "CreateTableAsStmt" in node ||
    "DeclareCursorStmt" in node ||
    "PrepareStmt" in node ||
    "ExplainStmt" in node;
  if (!isRead || ("CreateTableAsStmt" in node && node.CreateTableAsStmt.into?.skipData === true))
    return false;
  const common = new Set(nodesOf(node, "CommonTableExpr").map(({ ctename }) => ctename));
  return nodesOf(node, "SelectStmt")
    .flatMap(partsOf)
    .some((select) => {
      const live = nodesOf(select.fromClause, "RangeVar").filter(
        (relation) =>
          !known.isFreshData(relation) &&
          !common.has(relation.relname) &&
          relation.schemaname !== "information_schema" &&
          !(relation.relname ?? "").startsWith("pg_"),
      );
      return live.length > 0 && !isBoundedQuery(select, statement);
    });
}

export const dataRules: Rule[] = [
  {
    name: "unbounded-update",
    reason:
      "every row it changes stays locked until the last one is changed; without a key there are no batches",
    phases: allPhases,
    example: "UPDATE orders SET note = '' WHERE note = 'none';",
    find: (statement) => [
      ...unbounded(statement, nodesOf(statement.node, "UpdateStmt")),
      ...nodesOf(statement.node, "MergeStmt")
        .filter(({ relation }) => !statement.known.isFreshData(relation))
        .map(({ relation }) => ({
          at: statement.start,
          recipe: words(
            "phase: backfill",
            `an UPDATE and an INSERT of ${quotedRelation(relation)}, each in batches of its key`,
          ),
        })),
    ],
  },
  {
    name: "unbounded-delete",
    reason:
      "every row it deletes stays locked until the last one is deleted; without a key there are no batches",
    phases: allPhases,
    example: "DELETE FROM orders WHERE placed < '2020-01-01';",
    find: (statement) => unbounded(statement, nodesOf(statement.node, "DeleteStmt")),
  },
  {
    name: "unbounded-row-locks",
    reason: "every row it locks, or finds in its way, stays locked until the last one is",
    phases: allPhases,
    example: "SELECT id FROM orders FOR UPDATE;",
    find: (statement) =>
      locksManyRows(statement)
        ? [
            {
              at: statement.start,
              recipe: words("phase: backfill, in batches of the key: WHERE key BETWEEN :first AND :last"),
            },
          ]
        : [],
  },
  {
    name: "backfill-with-ddl",
    reason: "the locks of the file's DDL are held until all rows are written",
    phases: allPhases,
    example:
      "ALTER TABLE orders ADD COLUMN remark text;\nUPDATE orders SET remark = '' WHERE id BETWEEN 1 AND 1000;",
    find: ({ node, start, inTransaction, besideLiveDdl, source }) =>
      inTransaction && besideLiveDdl && changesManyRows(node)
        ? [{ at: start, recipe: migration("backfill", `${source.text};`) }]
        : [],
  },
  {
    name: "work-under-lock",
    reason: "a lock of a statement before it is held for as long as this one reads",
    phases: allPhases,
    example: "ALTER TABLE orders ADD COLUMN remark text;\nSELECT count(*) FROM orders;",
    find: (statement) =>
      statement.inTransaction && statement.known.held.size > 0 && readsManyRows(statement)
        ? [{ at: statement.start, recipe: migration(statement.phase, `${statement.source.text};`) }]
        : [],
  },
  {
    name: "several-tables",
    reason:
      "one table stays locked while the statement waits for everybody who uses another: two such waits make a deadlock, and one a long queue",
    phases: allPhases,
    example: "ALTER TABLE orders ADD COLUMN remark text;\nALTER TABLE customers ADD COLUMN remark text;",
    find: ({ start, known, inTransaction, source, phase, locks }) => {
      const isBad =
        inTransaction &&
        locks.some(({ relation, isAltered }) => isAltered && !known.altered.has(relation)) &&
        known.altered.size > 0;
      return isBad ? [{ at: start, recipe: migration(phase, `${source.text};`) }] : [];
    },
  },
];
