import type { ColumnDef, Constraint, ConstrType, Node, PartitionSpec, TypeName } from "libpg-query";
import { isType, strings } from "./names.js";
import { conjuncts, nodesOf } from "./tree.js";

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

export interface TableFacts {
  columns: Map<string, ColumnFacts>;
  /** By constraint or index: columns that are unique together. */
  keys: Map<string, string[]>;
  hasPrimaryKey: boolean;
  checks: Map<string, CheckFacts>;
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
  const parts = (partition?.partParams ?? []).flatMap((node) => ("PartitionElem" in node ? [node.PartitionElem] : []));
  return {
    columns: new Map(),
    keys: new Map(),
    hasPrimaryKey: false,
    checks: new Map(),
    partitionKey: partition === undefined || parts.some(({ name }) => name === undefined) ? undefined : parts.map(({ name }) => name ?? ""),
    isPartitioned: partition !== undefined,
    partitions: [],
    hasDefaultPartition: false,
    isComplete,
  };
}

export function newColumn(definition: ColumnDef, isFresh: boolean): ColumnFacts {
  const value = constraintOf(definition, "CONSTR_DEFAULT")?.raw_expr;
  const isFilled = constraintOf(definition, "CONSTR_GENERATED", "CONSTR_IDENTITY") !== undefined || isSerial(definition);
  return {
    type: definition.typeName,
    notNull: isSerial(definition) || constraintOf(definition, "CONSTR_NOTNULL", "CONSTR_PRIMARY", "CONSTR_IDENTITY") !== undefined,
    default: isNullConstant(value) ? undefined : value,
    first: isNullConstant(value) ? undefined : value,
    isFilled,
    isFresh,
  };
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

/** The columns of which a CHECK says that they are never NULL: itself, or one of the conditions that it joins by AND. */
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
export function columnsOf({ contype, raw_expr, fk_attrs, keys }: Constraint, column?: string): string[] {
  if (contype === "CONSTR_CHECK") return columnsIn(raw_expr);
  const named = [...strings(fk_attrs), ...strings(keys)];
  return named.length === 0 && column !== undefined ? [column] : named;
}

const suffixes: Partial<Record<ConstrType, string>> = { CONSTR_CHECK: "check", CONSTR_FOREIGN: "fkey", CONSTR_UNIQUE: "key", CONSTR_PRIMARY: "pkey", CONSTR_EXCLUSION: "excl", CONSTR_NOTNULL: "not_null" };

/** The name that PostgreSQL gives a constraint which has none. */
export function constraintName(constraint: Constraint, table: string, column?: string): string {
  const { contype, conname, indexname } = constraint;
  const given = conname ?? indexname;
  if (given !== undefined) return given;
  const columns = columnsOf(constraint, column);
  const named = contype === "CONSTR_PRIMARY" || (contype === "CONSTR_CHECK" && columns.length !== 1) ? [] : columns;
  return [table, ...named, contype === undefined ? "" : (suffixes[contype] ?? "")].join("_");
}
