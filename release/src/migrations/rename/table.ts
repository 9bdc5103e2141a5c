import type { ColumnDef, IndexStmt, Node } from "libpg-query";
import { columnsIn, indexName, isNullConstant } from "../../lint/facts.js";
import { nameOf, strings, nodesOf } from "../../sql/tree.js";
import type { Source } from "../../sql/source.js";
import { identifier } from "./target.js";

export interface Column {
  /** As SQL, with its collation. */
  type: string;
  /** The type's name alone. */
  typeName: string;
  notNull: boolean;
  /** As SQL; undefined when it is NULL. */
  default: string | undefined;
  /** Generated, identity, serial: PostgreSQL fills it, and refuses or rewrites a copy. */
  filled: boolean;
}

/** A UNIQUE constraint, or an index. */
export interface Index {
  name: string;
  unique: boolean;
  isConstraint: boolean;
  method: string;
  columns: string[];
  /** Its columns and nothing else: no expression, condition, order or option that a copy would lose. */
  plain: boolean;
}

/** What else names columns, for people to check. */
export interface Mention {
  what: string;
  columns: string[];
}

export interface Table {
  columns: Map<string, Column>;
  primaryKey: string[];
  indexes: Index[];
  /** By constraint: the columns that point to another table. */
  foreignKeys: Map<string, string[]>;
  /** By constraint: CHECK and EXCLUDE. */
  checks: Map<string, Mention>;
  partitionKey: string[] | undefined;
  /** It takes columns from another table (LIKE), so that they are not all known. */
  borrows: boolean;
  /** Why none of its columns can be renamed by a trigger of its own. */
  bound: string | undefined;
}

export function typeOf(
  { typeName, collClause }: ColumnDef,
  stops: number[],
  source: Source,
): Pick<Column, "type" | "typeName"> {
  const type = source.from(typeName?.location ?? 0, stops, "USING", "STORAGE", "COMPRESSION");
  const collation = strings(collClause?.collname).map(identifier).join(".");
  return {
    type: collation === "" ? type : `${type} COLLATE ${collation}`,
    typeName: nameOf(strings(typeName?.names)),
  };
}

export function defaultOf(expression: Node | undefined, read: () => string): string | undefined {
  return expression === undefined || isNullConstant(expression) ? undefined : read();
}

/** A sequence belongs to its column, and would go with it. */
export function numbers(expression: Node | undefined): boolean {
  return nodesOf(expression, "FuncCall").some(({ funcname }) => strings(funcname).at(-1) === "nextval");
}

export function indexOf(made: IndexStmt): Index {
  const elements = (made.indexParams ?? []).flatMap((node) => ("IndexElem" in node ? [node.IndexElem] : []));
  const bare = elements.every(
    ({ name, opclass, collation, ordering, nulls_ordering }) =>
      name !== undefined &&
      opclass === undefined &&
      collation === undefined &&
      ordering === "SORTBY_DEFAULT" &&
      nulls_ordering === "SORTBY_NULLS_DEFAULT",
  );
  const plain =
    bare &&
    made.whereClause === undefined &&
    made.indexIncludingParams === undefined &&
    made.options === undefined &&
    made.tableSpace === undefined &&
    made.nulls_not_distinct !== true;
  const columns = [
    ...indexedColumns(made.indexParams),
    ...indexedColumns(made.indexIncludingParams),
    ...columnsIn([made.indexParams, made.whereClause]),
  ];
  return {
    name: indexName(made),
    unique: made.unique === true,
    isConstraint: false,
    method: made.accessMethod ?? "btree",
    columns,
    plain,
  };
}

export function indexedColumns(nodes: Node[] | undefined): string[] {
  return nodesOf(nodes, "IndexElem").flatMap(({ name }) => (name === undefined ? [] : [name]));
}

export function change(table: Table, name: string, part: Partial<Column>): void {
  const column = table.columns.get(name);
  if (column !== undefined) Object.assign(column, part);
}
