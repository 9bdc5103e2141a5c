import type { Node, ObjectType, RangeVar, TypeName } from "libpg-query";
import {
  notNullColumns,
  type ColumnFacts,
  type DomainFacts,
  type IndexFacts,
  type TableFacts,
} from "./facts.js";
import { strings } from "../sql/tree.js";
import { kindOf, Scope, type Kind, type KnownObjects } from "./scope.js";

/**
 * What the SQL up to here has made. Nobody waits for a lock on an object made in the same file,
 * and no live version knows it; tables, keys and proofs are remembered from one file to the next.
 */
export class KnownFacts implements KnownObjects {
  scope = new Scope();
  /** Relations of others that the file has locked against writes, to the end of its transaction. */
  readonly held = new Set<string>();
  /** Of these, by DDL on the relation itself. */
  readonly altered = new Set<string>();
  /** Enum values that cannot be used before the transaction ends. */
  readonly newValues = new Set<string>();
  protected readonly fresh = new Set<string>();
  /** Made by this file unless they were there before. */
  protected readonly maybeFresh = new Set<string>();
  /** Types that have another name since this file. */
  protected readonly renamedTypes = new Set<string>();
  protected readonly tables = new Map<string, TableFacts>();
  protected readonly domains = new Map<string, DomainFacts>();
  protected readonly indexes = new Map<string, IndexFacts>();
  /** The views, each with the relations that it shows and the columns that it names; undefined: all columns. */
  protected readonly views = new Map<string, { relations: string[]; columns: string[] | undefined }>();
  /** Of the functions made here: whether they may give another value for each row. */
  protected readonly volatile = new Map<string, boolean>();
  /** Functions that nothing but a trigger calls. */
  protected readonly triggerFunctions = new Set<string>();
  /** Operators made here, by their names. */
  protected readonly operators = new Set<string>();

  isFresh(type: ObjectType, node: Node | undefined): boolean {
    return this.isFreshName(kindOf(type), this.scope.object(type, node));
  }

  isFreshName(kind: Kind, name: string): boolean {
    if (this.fresh.has(`${kind} ${name}`)) return true;
    // DROP FUNCTION f, without arguments: PostgreSQL refuses it where there are two.
    return (
      kind === "routine" &&
      !name.endsWith(")") &&
      [...this.fresh].some((each) => each.startsWith(`${kind} ${name}(`))
    );
  }

  isFreshRelation(relation: RangeVar | undefined): boolean {
    return this.isFreshName("relation", this.scope.relation(relation));
  }

  /** Whether nobody else has rows in it. A view of this file shows the rows of others. */
  isFreshData(relation: RangeVar | undefined): boolean {
    const open = [this.scope.relation(relation)];
    const seen = new Set<string>();
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      if (seen.has(name)) continue;
      seen.add(name);
      if (!this.isFreshName("relation", name)) return false;
      open.push(...(this.views.get(name)?.relations ?? []));
    }
    return true;
  }

  /** Whether a view shows the column: PostgreSQL keeps its type then. */
  isShown(relation: RangeVar | undefined, column: string): boolean {
    const name = this.scope.relation(relation);
    return [...this.views.values()].some(
      ({ relations, columns }) => relations.includes(name) && columns?.includes(column) !== false,
    );
  }

  /** Whether an index with expressions or a condition names the column. */
  bindsIndex(relation: RangeVar | undefined, column: string): boolean {
    const name = this.scope.relation(relation);
    return [...this.indexes.values()].some(({ table, bound }) => table === name && bound.includes(column));
  }

  isTriggerFunction(object: Node): boolean {
    return (
      "ObjectWithArgs" in object &&
      this.triggerFunctions.has(this.scope.object("OBJECT_FUNCTION", object).replace(/\(\)$/, ""))
    );
  }

  isRenamedType(object: Node): boolean {
    return this.renamedTypes.has(this.scope.object("OBJECT_TYPE", object));
  }

  isOwnOperator(name: string): boolean {
    return this.operators.has(name);
  }

  /** A sequence of this file, or of a serial or identity column of a table of this file. */
  isFreshSequence(name: string[]): boolean {
    const own = this.scope.name("relation", name);
    if (this.isFreshName("relation", own)) return true;
    const [schema = ""] = own.split(".");
    return [...this.tables].some(
      ([table, { columns }]) =>
        table.startsWith(`${schema}.`) &&
        this.isFreshName("relation", table) &&
        [...columns.keys()].some((column) => own === `${table}_${column}_seq`),
    );
  }

  /** CREATE TABLE IF NOT EXISTS of the same file: what it has not made, an earlier run of it has. */
  isMaybeFreshRelation(relation: RangeVar | undefined): boolean {
    return this.maybeFresh.has(this.scope.relation(relation));
  }

  table(relation: RangeVar | undefined): TableFacts | undefined {
    return this.tables.get(this.scope.relation(relation));
  }

  column(relation: RangeVar | undefined, column: string | undefined): ColumnFacts | undefined {
    return this.table(relation)?.columns.get(column ?? "");
  }

  isFreshColumn(relation: RangeVar | undefined, column: string | undefined): boolean {
    return this.column(relation, column)?.isFresh === true;
  }

  index(name: string): IndexFacts | undefined {
    return this.indexes.get(name);
  }

  tableNamed(name: string): TableFacts | undefined {
    return this.tables.get(name);
  }

  domain(type: TypeName | undefined): DomainFacts | undefined {
    return (type?.arrayBounds ?? []).length > 0
      ? undefined
      : this.domains.get(this.scope.name("type", strings(type?.names)));
  }

  /** undefined: no function of this name was made here. */
  isVolatile(name: string[]): boolean | undefined {
    return this.volatile.get(this.scope.name("routine", name));
  }

  /** Columns that are unique together. A table that no file here has made is taken to have the usual key. */
  keysOf(relation: RangeVar | undefined): string[][] {
    const table = this.table(relation);
    const keys = [...(table?.keys.values() ?? [])];
    return table?.isComplete === true || table?.hasPrimaryKey === true ? keys : [...keys, ["id"]];
  }

  /**
   * Whether a validated CHECK or the column itself says so: SET NOT NULL then reads no row.
   * @param without constraints that do not count
   */
  isNeverNull(
    relation: RangeVar | undefined,
    column: string | undefined,
    without: (string | undefined)[] = [],
  ): boolean {
    const table = this.table(relation);
    if (table === undefined || column === undefined) return false;
    if (table.columns.get(column)?.notNull === true) return true;
    return [...table.checks].some(
      ([name, { expression, isValidated }]) =>
        isValidated && !without.includes(name) && notNullColumns(expression).includes(column),
    );
  }
}
