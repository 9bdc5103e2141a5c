import type { DeleteStmt, Node, RangeVar, SelectStmt, UpdateStmt, WithClause } from "libpg-query";
import { quotedRelation, strings } from "../names.js";
import { allPhases, type Match, type Rule, type Statement } from "../rule.js";
import { nodesOf } from "../tree.js";

const batches = (verb: string, table: string) => `-- phase: backfill
-- batch: ${table} by KEY
${verb} WHERE KEY BETWEEN :first AND :last AND …; -- the runner commits each batch`;

/** Whether the condition keeps a statement to one batch: a range or values of the key. */
function isBounded(statement: Statement, relation: RangeVar | undefined, where: Node | undefined, sources: Node[], withClause: WithClause | undefined): boolean {
  if (where === undefined) return false;
  if ("CurrentOfExpr" in where) return true;
  const batchNames = new Set([
    ...sources.flatMap((node) => ("RangeSubselect" in node && isBatch(node.RangeSubselect.subquery, statement, relation) ? [node.RangeSubselect.alias?.aliasname] : [])),
    ...(withClause?.ctes ?? []).flatMap((node) => ("CommonTableExpr" in node && isBatch(node.CommonTableExpr.ctequery, statement, relation) ? [node.CommonTableExpr.ctename] : [])),
  ]);
  const lower = new Set<string>();
  const upper = new Set<string>();
  for (const condition of conjuncts(where)) {
    if ("SubLink" in condition) {
      const { testexpr, subLinkType, subselect } = condition.SubLink;
      if (subLinkType === "ANY_SUBLINK" && keyOf(testexpr, statement, relation) !== undefined && (isBatch(subselect, statement, relation) || selectsFrom(subselect, batchNames))) return true;
    }
    if (!("A_Expr" in condition)) continue;
    const { kind, name, lexpr, rexpr } = condition.A_Expr;
    const left = keyOf(lexpr, statement, relation);
    const right = keyOf(rexpr, statement, relation);
    const key = left ?? right;
    const value = left === undefined ? lexpr : rexpr;
    if (key === undefined) continue;
    const operator = strings(name)[0] ?? "";
    if (operator === "=" && (kind === "AEXPR_OP" || kind === "AEXPR_OP_ANY" || kind === "AEXPR_IN")) {
      if (isValue(value) || comesFrom(value, batchNames)) return true;
    }
    if (kind === "AEXPR_BETWEEN" && isValue(value)) return true;
    if (kind !== "AEXPR_OP" || !isValue(value)) continue;
    if (operator.startsWith(left === undefined ? "<" : ">")) lower.add(key);
    if (operator.startsWith(left === undefined ? ">" : "<") && operator !== "<>") upper.add(key);
  }
  return [...lower].some((key) => upper.has(key));
}

/** SELECT key … WHERE key > x ORDER BY key LIMIT n. Without the condition, each batch would read what all before it have read. */
function isBatch(query: Node | undefined, statement: Statement, relation: RangeVar | undefined): boolean {
  const select = query !== undefined && "SelectStmt" in query ? query.SelectStmt : undefined;
  if (select?.limitCount === undefined || select.sortClause === undefined) return false;
  return conjuncts(select.whereClause).some((condition) => {
    if (!("A_Expr" in condition) || condition.A_Expr.kind !== "AEXPR_OP") return false;
    const { name, lexpr, rexpr } = condition.A_Expr;
    return (strings(name)[0] ?? "").startsWith(">") && keyOf(lexpr, statement, relation) !== undefined && isValue(rexpr);
  });
}

function selectsFrom(query: Node | undefined, names: Set<string | undefined>): boolean {
  const select: SelectStmt | undefined = query !== undefined && "SelectStmt" in query ? query.SelectStmt : undefined;
  return (select?.fromClause ?? []).some((node) => "RangeVar" in node && names.has(node.RangeVar.relname));
}

function comesFrom(value: Node | undefined, names: Set<string | undefined>): boolean {
  return value !== undefined && "ColumnRef" in value && names.has(strings(value.ColumnRef.fields)[0]);
}

function conjuncts(where: Node | undefined): Node[] {
  const found: Node[] = [];
  const open = where === undefined ? [] : [where];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if ("BoolExpr" in node && node.BoolExpr.boolop === "AND_EXPR") open.push(...(node.BoolExpr.args ?? []));
    else found.push(node);
  }
  return found;
}

/** The key column that an expression is; of a row of columns, the first. */
function keyOf(expression: Node | undefined, { known }: Statement, relation: RangeVar | undefined): string | undefined {
  const first = expression !== undefined && "RowExpr" in expression ? expression.RowExpr.args?.[0] : expression;
  if (first === undefined || !("ColumnRef" in first)) return undefined;
  const fields = strings(first.ColumnRef.fields);
  const column = fields.at(-1);
  const own = fields.length === 1 || [relation?.relname, relation?.alias?.aliasname].includes(fields[0]);
  return column !== undefined && own && known.isKey(relation, column) ? column : undefined;
}

/** Constants and parameters: known before the first row is read. */
function isValue(expression: Node | undefined): boolean {
  return expression !== undefined && nodesOf(expression, "ColumnRef").length === 0 && nodesOf(expression, "SubLink").length === 0;
}

function unbounded(statement: Statement, found: (UpdateStmt | DeleteStmt)[]): Match[] {
  return found
    .filter((each) => {
      const sources = "fromClause" in each ? each.fromClause : "usingClause" in each ? each.usingClause : undefined;
      return !statement.known.isFreshRelation(each.relation) && !isBounded(statement, each.relation, each.whereClause, sources ?? [], each.withClause);
    })
    .map(({ relation }) => ({ at: statement.start, subject: { table: quotedRelation(relation) } }));
}

const changesManyRows = (node: Node): boolean =>
  nodesOf(node, "UpdateStmt").length + nodesOf(node, "DeleteStmt").length + nodesOf(node, "MergeStmt").length > 0 ||
  nodesOf(node, "InsertStmt").some(({ selectStmt }) => selectStmt !== undefined && "SelectStmt" in selectStmt && selectStmt.SelectStmt.fromClause !== undefined);

export const dataRules: Rule[] = [
  {
    name: "unbounded-update",
    reason: "every row it changes stays locked until the last one is changed; without a key there are no batches",
    phases: allPhases,
    recipe: ({ table }) => batches(`UPDATE ${table} SET …`, table),
    find: (statement) => [
      ...unbounded(statement, nodesOf(statement.node, "UpdateStmt")),
      ...nodesOf(statement.node, "MergeStmt")
        .filter(({ relation }) => !statement.known.isFreshRelation(relation))
        .map(({ relation }) => ({ at: statement.start, subject: { table: quotedRelation(relation) } })),
    ],
  },
  {
    name: "unbounded-delete",
    reason: "every row it deletes stays locked until the last one is deleted; without a key there are no batches",
    phases: allPhases,
    recipe: ({ table }) => batches(`DELETE FROM ${table}`, table),
    find: (statement) => unbounded(statement, nodesOf(statement.node, "DeleteStmt")),
  },
  {
    name: "backfill-with-ddl",
    reason: "the locks of the file's ALTER TABLE are held until all rows are written",
    phases: allPhases,
    recipe: () => `-- two migrations: the schema in one, the rows in one with "-- phase: backfill"`,
    find: ({ node, start, inTransaction, besideLiveDdl }) => (inTransaction && besideLiveDdl && changesManyRows(node) ? [{ at: start }] : []),
  },
];
