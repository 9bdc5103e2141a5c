import type {
  ColumnDef,
  Constraint,
  ConstrType,
  IndexStmt,
  Node,
  PartitionSpec,
  TypeName,
} from "libpg-query";
import { isType, strings, conjuncts, nodesOf } from "../sql/tree.js";

/** What the migrations up to here say about a column. */
export interface ColumnFacts {
  type: TypeName | undefined;
  notNull: boolean;
  /** What rows get that do not name it: an expression, or undefined for NULL. */
  default: Node | undefined;
  /** What rows of before it have: the default of that moment. */
  first: Node | undefined;
  /** PostgreSQL fills it by itself: generated, identity, serial. */
  isFilled: boolean;
  /** Made by this file, for certain. */
  isFresh: boolean;
}

interface CheckFacts {
  expression: Node | undefined;
  isValidated: boolean;
}

export interface Attributes {
  isEnforced: boolean;
  deferral: "never" | "possible" | "initially";
}

/** A foreign key, as far as it decides which rows are refused. */
export interface ReferenceFacts {
  columns: string[];
  /** The other table; its columns, empty where none are named and its primary key is not known. */
  target: string;
  targetColumns: string[];
  match: string;
  onDelete: string;
  onUpdate: string;
  deferral: Attributes["deferral"];
}

/** What the file has taken away: whatever it refused, the live version does not write. */
interface DroppedFacts {
  keys: string[][];
  references: ReferenceFacts[];
  checks: (Node | undefined)[];
}

export interface IndexFacts {
  table: string;
  /** undefined where an expression is among them. */
  columns: string[] | undefined;
  /**
   * The columns that have to keep their types: of an index with expressions or a condition, all that it names.
   * PostgreSQL builds it again when one of them changes, whatever the types.
   */
  bound: string[];
}

export interface TableFacts {
  columns: Map<string, ColumnFacts>;
  /** By constraint or index: columns that are unique together. */
  keys: Map<string, string[]>;
  hasPrimaryKey: boolean;
  checks: Map<string, CheckFacts>;
  references: Map<string, ReferenceFacts>;
  dropped: DroppedFacts;
  /** Set for a partitioned table: its columns, none of them an expression. */
  partitionKey: string[] | undefined;
  isPartitioned: boolean;
  partitions: string[];
  hasDefaultPartition: boolean;
  /** CREATE TABLE was among the migrations: what is not known of it is not there. */
  isComplete: boolean;
}

export interface DomainFacts {
  type: TypeName | undefined;
  /** As it is written. */
  typeText: string;
  isNotNull: boolean;
  /** By name: (…), as it is written. */
  checks: Map<string, string>;
}

export function newTable(isComplete: boolean, partition?: PartitionSpec): TableFacts {
  const parts = (partition?.partParams ?? []).flatMap((node) =>
    "PartitionElem" in node ? [node.PartitionElem] : [],
  );
  return {
    columns: new Map(),
    keys: new Map(),
    hasPrimaryKey: false,
    checks: new Map(),
    references: new Map(),
    dropped: nothingDropped(),
    partitionKey:
      partition === undefined || parts.some(({ name }) => name === undefined)
        ? undefined
        : parts.map(({ name }) => name ?? ""),
    isPartitioned: partition !== undefined,
    partitions: [],
    hasDefaultPartition: false,
    isComplete,
  };
}

export function nothingDropped(): DroppedFacts {
  return { keys: [], references: [], checks: [] };
}

export function newColumn(definition: ColumnDef, isFresh: boolean): ColumnFacts {
  const value = constraintOf(definition, "CONSTR_DEFAULT")?.raw_expr;
  return {
    type: definition.typeName,
    notNull:
      isSerial(definition) ||
      constraintOf(definition, "CONSTR_NOTNULL", "CONSTR_PRIMARY", "CONSTR_IDENTITY") !== undefined,
    default: isNullConstant(value) ? undefined : value,
    first: isNullConstant(value) ? undefined : value,
    isFilled: isFilled(definition),
    isFresh,
  };
}

/** Generated, identity, serial. */
export function isFilled(definition: ColumnDef): boolean {
  return (
    constraintOf(definition, "CONSTR_GENERATED", "CONSTR_IDENTITY") !== undefined || isSerial(definition)
  );
}

export function constraintsOf(nodes: Node[] | undefined): Constraint[] {
  return (nodes ?? []).flatMap((node) => ("Constraint" in node ? [node.Constraint] : []));
}

export function constraintOf({ constraints }: ColumnDef, ...types: ConstrType[]): Constraint | undefined {
  return constraintsOf(constraints).find(({ contype }) => contype !== undefined && types.includes(contype));
}

export function isSerial({ typeName }: ColumnDef): boolean {
  return isType(typeName, "serial", "bigserial", "smallserial", "serial2", "serial4", "serial8");
}

/** NULL, cast to whatever. */
export function isNullConstant(expression: Node | undefined): boolean {
  if (expression === undefined) return false;
  if ("TypeCast" in expression) return isNullConstant(expression.TypeCast.arg);
  return "A_Const" in expression && expression.A_Const.isnull === true;
}

/**
 * The columns of which a CHECK says that they are never NULL: itself, or one of the conditions that it joins
 * by AND.
 */
export function notNullColumns(expression: Node | undefined): string[] {
  return conjuncts(expression).flatMap((condition) => {
    if (!("NullTest" in condition) || condition.NullTest.nulltesttype !== "IS_NOT_NULL") return [];
    const { arg } = condition.NullTest;
    return arg !== undefined && "ColumnRef" in arg ? strings(arg.ColumnRef.fields).slice(-1) : [];
  });
}

export function columnsIn(root: unknown): string[] {
  return [...new Set(nodesOf(root, "ColumnRef").flatMap(({ fields }) => strings(fields).slice(-1)))];
}

/** The columns that a constraint is about. */
export function columnsOf(
  { contype, raw_expr, fk_attrs, keys, exclusions }: Constraint,
  column?: string,
): string[] {
  if (contype === "CONSTR_CHECK") return columnsIn(raw_expr);
  if (contype === "CONSTR_EXCLUSION")
    return nodesOf(exclusions, "IndexElem").flatMap(({ name }) => (name === undefined ? [] : [name]));
  const named = [...strings(fk_attrs), ...strings(keys)];
  return named.length === 0 && column !== undefined ? [column] : named;
}

const suffixes: Partial<Record<ConstrType, string>> = {
  CONSTR_CHECK: "check",
  CONSTR_FOREIGN: "fkey",
  CONSTR_UNIQUE: "key",
  CONSTR_PRIMARY: "pkey",
  CONSTR_EXCLUSION: "excl",
  CONSTR_NOTNULL: "not_null",
};

/** The name that PostgreSQL gives a constraint which has none. */
export function constraintName(constraint: Constraint, table: string, column?: string): string {
  const { contype, conname, indexname } = constraint;
  const given = conname ?? indexname;
  if (given !== undefined) return given;
  const columns = columnsOf(constraint, column);
  const named =
    contype === "CONSTR_PRIMARY" || (contype === "CONSTR_CHECK" && columns.length !== 1) ? [] : columns;
  return [table, ...named, contype === undefined ? "" : (suffixes[contype] ?? "")].join("_");
}

/**
 * What is said of a constraint: DEFERRABLE and the like stand beside the constraint of a column, and within
 * one of a table.
 * @param all of the column; none for a table's
 */
export function attributesOf(constraint: Constraint, all: Constraint[] = []): Attributes {
  const after = all.slice(all.indexOf(constraint) + 1);
  const next = after.findIndex(({ contype }) => contype?.startsWith("CONSTR_ATTR") !== true);
  const beside = after.slice(0, next < 0 ? undefined : next).map(({ contype }) => contype);
  const isDeferred = constraint.initdeferred === true || beside.includes("CONSTR_ATTR_DEFERRED");
  const isDeferrable = constraint.deferrable === true || beside.includes("CONSTR_ATTR_DEFERRABLE");
  return {
    isEnforced: constraint.is_enforced === true && !beside.includes("CONSTR_ATTR_NOT_ENFORCED"),
    deferral: isDeferred ? "initially" : isDeferrable ? "possible" : "never",
  };
}

/**
 * Whether a foreign key refuses nothing that another one of the same columns did not: what PostgreSQL then
 * does instead of refusing, the live version has not asked for.
 */
export function refusesNoMore(reference: ReferenceFacts, than: ReferenceFacts): boolean {
  const looser = (now: string, before: string) => now === before || before === "a" || before === "r";
  return (
    reference.target === than.target &&
    reference.columns.join(" ") === than.columns.join(" ") &&
    reference.targetColumns.join(" ") === than.targetColumns.join(" ") &&
    reference.deferral === than.deferral &&
    (reference.match === than.match || reference.match === "s") &&
    looser(reference.onDelete, than.onDelete) &&
    looser(reference.onUpdate, than.onUpdate)
  );
}

/** The name that PostgreSQL gives an index which has none. */
export function indexName({ idxname, relation, indexParams = [] }: IndexStmt): string {
  if (idxname !== undefined) return idxname;
  const parts = indexParams.flatMap((node) =>
    "IndexElem" in node ? [node.IndexElem.name ?? expressionName(node.IndexElem.expr)] : [],
  );
  return [relation?.relname, ...parts, "idx"].join("_");
}

function expressionName(expression: Node | undefined): string {
  return expression !== undefined && "FuncCall" in expression
    ? (strings(expression.FuncCall.funcname).at(-1) ?? "expr")
    : "expr";
}

export function indexFacts({ indexParams = [], whereClause }: IndexStmt, table: string): IndexFacts {
  const elements = indexParams.flatMap((each) => ("IndexElem" in each ? [each.IndexElem] : []));
  const columns = elements.flatMap(({ name }) => (name === undefined ? [] : [name]));
  const isPlain = columns.length === elements.length;
  return {
    table,
    columns: isPlain ? columns : undefined,
    bound:
      isPlain && whereClause === undefined
        ? []
        : [...columns, ...columnsIn(elements.map(({ expr }) => expr)), ...columnsIn(whereClause)],
  };
}
