import type { Node, RangeVar, SelectStmt, WithClause } from "libpg-query";
import { evaluate } from "./check.js";
import { strings, conjuncts, nodesOf } from "../sql/tree.js";
import type { Statement } from "./rule.js";

/** Rows that a statement may touch at once: what more it would lock, it locks for too long. */
const largestBatch = 100_000;

/** The sources of rows beside the table itself. */
interface Sources {
  from?: Node[] | undefined;
  with?: WithClause | undefined;
}

interface Range {
  columns: string[];
  lower: Node[];
  upper: Node[];
}

/**
 * Whether a condition keeps a statement to one batch: values of a whole key, or a range of it that is not too
 * wide.
 */
export function isBounded(
  statement: Statement,
  relation: RangeVar | undefined,
  where: Node | undefined,
  { from = [], with: withClause }: Sources = {},
): boolean {
  if (where === undefined) return false;
  if ("CurrentOfExpr" in where) return true;
  const batches = new Set([
    ...from.flatMap((node) =>
      "RangeSubselect" in node && isBatch(node.RangeSubselect.subquery, statement, relation)
        ? [node.RangeSubselect.alias?.aliasname]
        : [],
    ),
    ...(withClause?.ctes ?? []).flatMap((node) =>
      "CommonTableExpr" in node && isBatch(node.CommonTableExpr.ctequery, statement, relation)
        ? [node.CommonTableExpr.ctename]
        : [],
    ),
  ]);
  /** Columns that have one of some given values. */
  const given = new Set<string>();
  const ranges = new Map<string, Range>();
  const bound = (columns: string[], side: "lower" | "upper", value: Node) => {
    const range = ranges.get(columns.join(" ")) ?? { columns, lower: [], upper: [] };
    range[side].push(value);
    ranges.set(columns.join(" "), range);
  };
  for (const condition of conjuncts(where)) {
    if ("SubLink" in condition) {
      const { testexpr, subLinkType, subselect } = condition.SubLink;
      const columns = columnsOf(testexpr, relation);
      if (
        subLinkType === "ANY_SUBLINK" &&
        columns !== undefined &&
        (isBatch(subselect, statement, relation) || isValues(subselect) || selectsFrom(subselect, batches))
      )
        for (const column of columns) given.add(column);
    }
    if (!("A_Expr" in condition)) continue;
    const { kind, name, lexpr, rexpr } = condition.A_Expr;
    const left = columnsOf(lexpr, relation);
    const columns = left ?? columnsOf(rexpr, relation);
    const value = left === undefined ? lexpr : rexpr;
    if (columns === undefined || value === undefined) continue;
    const operator = strings(name)[0] ?? "";
    if (operator === "=" && (kind === "AEXPR_OP" || kind === "AEXPR_OP_ANY" || kind === "AEXPR_IN")) {
      if (isValue(value) || comesFrom(value, batches)) for (const column of columns) given.add(column);
    }
    if ((kind === "AEXPR_BETWEEN" || kind === "AEXPR_BETWEEN_SYM") && isValue(value) && "List" in value) {
      const [low, high] = value.List.items ?? [];
      if (low === undefined || high === undefined) continue;
      const isTurned = kind === "AEXPR_BETWEEN_SYM" && (numberOf(low) ?? 0) > (numberOf(high) ?? 0);
      bound(columns, "lower", isTurned ? high : low);
      bound(columns, "upper", isTurned ? low : high);
    }
    if (kind !== "AEXPR_OP" || !isValue(value)) continue;
    if (operator.startsWith(left === undefined ? "<" : ">")) bound(columns, "lower", value);
    if (operator.startsWith(left === undefined ? ">" : "<") && operator !== "<>")
      bound(columns, "upper", value);
  }
  return statement.known.keysOf(relation).some((key) => {
    const open = key.filter((column) => !given.has(column));
    return (
      open.length === 0 ||
      [...ranges.values()].some(
        ({ columns, lower, upper }) =>
          columns.filter((column) => !given.has(column)).join(" ") === open.join(" ") &&
          lower.some((low) => upper.some((high) => isNarrow(low, high))),
      )
    );
  });
}

/** Whether a query gives only some rows: those of a batch, or a number that it says. */
export function isBoundedQuery(select: SelectStmt, statement: Statement): boolean {
  if (
    isSmall(select.limitCount) &&
    select.groupClause === undefined &&
    select.distinctClause === undefined &&
    nodesOf(select.targetList, "FuncCall").length === 0
  )
    return true;
  const [source, ...more] = select.fromClause ?? [];
  return (
    source !== undefined &&
    "RangeVar" in source &&
    more.length === 0 &&
    isBounded(statement, source.RangeVar, select.whereClause, { with: select.withClause })
  );
}

/**
 * SELECT key … WHERE key > x ORDER BY key LIMIT n. Without the condition, each batch would read what all
 * before it have read.
 */
function isBatch(query: Node | undefined, statement: Statement, relation: RangeVar | undefined): boolean {
  const select = query !== undefined && "SelectStmt" in query ? query.SelectStmt : undefined;
  if (select?.sortClause === undefined || !isSmall(select.limitCount)) return false;
  const order = select.sortClause
    .flatMap((node) => ("SortBy" in node ? [columnsOf(node.SortBy.node, relation)?.join(" ")] : []))
    .join(" ");
  if (!statement.known.keysOf(relation).some((key) => key.join(" ") === order)) return false;
  return conjuncts(select.whereClause).some((condition) => {
    if (!("A_Expr" in condition) || condition.A_Expr.kind !== "AEXPR_OP") return false;
    const { name, lexpr, rexpr } = condition.A_Expr;
    return (
      (strings(name)[0] ?? "").startsWith(">") &&
      columnsOf(lexpr, relation)?.join(" ") === order &&
      rexpr !== undefined &&
      isValue(rexpr)
    );
  });
}

function isSmall(limit: Node | undefined): boolean {
  if (limit === undefined) return false;
  const number = numberOf(limit);
  return number === undefined ? isParameter(limit) : number <= largestBatch;
}

/**
 * Two ends of a batch, or numbers not far from each other. Of rows, all but the last column are to be the
 * same.
 */
function isNarrow(low: Node, high: Node): boolean {
  if ("RowExpr" in low && "RowExpr" in high) {
    const [from, to] = [low.RowExpr.args ?? [], high.RowExpr.args ?? []];
    return from.every(
      (each, index) =>
        isNarrow(each, to[index] ?? each) &&
        (index === from.length - 1 || isParameter(each) || numberOf(each) === numberOf(to[index])),
    );
  }
  const [from, to] = [numberOf(low), numberOf(high)];
  return from === undefined || to === undefined
    ? isParameter(low) && isParameter(high)
    : to - from <= largestBatch;
}

function numberOf(node: Node | undefined): number | undefined {
  const value = evaluate(node, new Map());
  const number =
    value?.is === "constant" && typeof value.of !== "boolean" && value.of !== ""
      ? Number(value.of)
      : undefined;
  return Number.isNaN(number) ? undefined : number;
}

function isParameter(node: Node): boolean {
  return nodesOf(node, "ParamRef").length > 0;
}

function isValues(query: Node | undefined): boolean {
  return query !== undefined && "SelectStmt" in query && query.SelectStmt.valuesLists !== undefined;
}

function selectsFrom(query: Node | undefined, names: Set<string | undefined>): boolean {
  const select = query !== undefined && "SelectStmt" in query ? query.SelectStmt : undefined;
  return (select?.fromClause ?? []).some((node) => "RangeVar" in node && names.has(node.RangeVar.relname));
}

function comesFrom(value: Node, names: Set<string | undefined>): boolean {
  return "ColumnRef" in value && names.has(strings(value.ColumnRef.fields)[0]);
}

/** The columns of the table that an expression is: one, or a row of them. */
function columnsOf(expression: Node | undefined, relation: RangeVar | undefined): string[] | undefined {
  if (expression === undefined) return undefined;
  const nodes = "RowExpr" in expression ? (expression.RowExpr.args ?? []) : [expression];
  const columns = nodes.flatMap((node) => {
    const fields = "ColumnRef" in node ? strings(node.ColumnRef.fields) : [];
    const isOwn =
      fields.length === 1 ||
      (fields.length > 1 && [relation?.relname, relation?.alias?.aliasname].includes(fields.at(-2)));
    return isOwn ? fields.slice(-1) : [];
  });
  return columns.length > 0 && columns.length === nodes.length ? columns : undefined;
}

/** Constants and parameters: known before the first row is read. */
function isValue(expression: Node): boolean {
  return nodesOf(expression, "ColumnRef").length === 0 && nodesOf(expression, "SubLink").length === 0;
}
