import type { AlterTableCmd, Constraint, Node, RangeVar } from "libpg-query";
import { nameOf, objectParts, relationName, strings } from "./names.js";

type Kind = "relation" | "function" | "type" | "schema";

/**
 * What the SQL up to here has made. Nobody waits for a lock on an object made in the same file,
 * and no live version knows it; keys and proofs are remembered from one file to the next.
 */
export class Known {
  private readonly fresh = new Set<string>();
  private readonly freshColumns = new Set<string>();
  /** Altered in this file: its locks last to the end of the transaction. */
  private readonly altered = new Set<string>();
  /** First columns of primary keys and unique constraints. */
  private readonly keys = new Map<string, Set<string>>();
  /** By constraint: the column that it says is never NULL. */
  private readonly notNullChecks = new Map<string, { column: string; validated: boolean }>();

  /** Nothing is new any more when the next file starts. */
  startFile(): void {
    this.fresh.clear();
    this.freshColumns.clear();
    this.altered.clear();
  }

  isFresh(kind: Kind, name: string): boolean {
    return this.fresh.has(`${kind} ${name}`);
  }

  isFreshRelation(relation: RangeVar | undefined): boolean {
    return this.isFresh("relation", relationName(relation));
  }

  isFreshColumn(relation: RangeVar | undefined, column: string | undefined): boolean {
    return this.freshColumns.has(`${relationName(relation)}.${column ?? ""}`);
  }

  isAltered(relation: RangeVar | undefined): boolean {
    return this.altered.has(relationName(relation));
  }

  /** A table that no file here has made is taken to have the usual key. */
  isKey(relation: RangeVar | undefined, column: string): boolean {
    return this.keys.get(relationName(relation))?.has(column) ?? column === "id";
  }

  /** Whether a validated CHECK says so: SET NOT NULL then reads no row. */
  isNeverNull(relation: RangeVar | undefined, column: string | undefined): boolean {
    const prefix = `${relationName(relation)} `;
    return [...this.notNullChecks].some(([key, check]) => key.startsWith(prefix) && check.validated && check.column === column);
  }

  /** What a backfill's header says: its batches follow this column, the first of the key. */
  addKey(table: string, column: string): void {
    this.keys.set(table, (this.keys.get(table) ?? new Set()).add(column));
  }

  add(node: Node): void {
    if ("CreateStmt" in node) {
      // With IF NOT EXISTS it may be the table that everybody uses.
      if (node.CreateStmt.if_not_exists !== true) this.addFresh("relation", relationName(node.CreateStmt.relation));
      for (const element of node.CreateStmt.tableElts ?? []) {
        if ("ColumnDef" in element) this.addKeysOf(node.CreateStmt.relation, element.ColumnDef.constraints, element.ColumnDef.colname);
        if ("Constraint" in element) this.addKeysOf(node.CreateStmt.relation, [element]);
      }
    } else if ("CreateTableAsStmt" in node) {
      if (node.CreateTableAsStmt.if_not_exists !== true) this.addFresh("relation", relationName(node.CreateTableAsStmt.into?.rel));
    } else if ("SelectStmt" in node) {
      if (node.SelectStmt.intoClause !== undefined) this.addFresh("relation", relationName(node.SelectStmt.intoClause.rel));
    } else if ("ViewStmt" in node) {
      if (node.ViewStmt.replace !== true) this.addFresh("relation", relationName(node.ViewStmt.view));
    } else if ("CreateSeqStmt" in node) {
      if (node.CreateSeqStmt.if_not_exists !== true) this.addFresh("relation", relationName(node.CreateSeqStmt.sequence));
    } else if ("IndexStmt" in node) {
      const { relation, idxname, if_not_exists } = node.IndexStmt;
      if (if_not_exists !== true && this.isFreshRelation(relation)) this.addFresh("relation", nameOf([relation?.schemaname, idxname]));
    } else if ("CreateFunctionStmt" in node) {
      if (node.CreateFunctionStmt.replace !== true) this.addFresh("function", nameOf(strings(node.CreateFunctionStmt.funcname)));
    } else if ("CreateEnumStmt" in node) {
      this.addFresh("type", nameOf(strings(node.CreateEnumStmt.typeName)));
    } else if ("CreateDomainStmt" in node) {
      this.addFresh("type", nameOf(strings(node.CreateDomainStmt.domainname)));
    } else if ("CompositeTypeStmt" in node) {
      this.addFresh("type", relationName(node.CompositeTypeStmt.typevar));
    } else if ("CreateSchemaStmt" in node) {
      if (node.CreateSchemaStmt.if_not_exists !== true) this.addFresh("schema", node.CreateSchemaStmt.schemaname ?? "");
    } else if ("DropStmt" in node) {
      for (const object of node.DropStmt.objects ?? []) this.fresh.delete(`relation ${nameOf(objectParts(object))}`);
    } else if ("RenameStmt" in node) {
      const { relation, renameType, newname } = node.RenameStmt;
      if (renameType === "OBJECT_TABLE" && this.fresh.delete(`relation ${relationName(relation)}`)) this.addFresh("relation", nameOf([relation?.schemaname, newname]));
    } else if ("VariableSetStmt" in node) {
      // The same name may be another table now.
      if (node.VariableSetStmt.name === "search_path") this.startFile();
    } else if ("AlterTableStmt" in node) {
      for (const each of node.AlterTableStmt.cmds ?? []) if ("AlterTableCmd" in each) this.addCommand(node.AlterTableStmt.relation, each.AlterTableCmd);
    }
  }

  private addFresh(kind: Kind, name: string): void {
    this.fresh.add(`${kind} ${name}`);
  }

  private addCommand(relation: RangeVar | undefined, { subtype, name, def }: AlterTableCmd): void {
    const table = relationName(relation);
    if (subtype !== "AT_ValidateConstraint") this.altered.add(table);
    if (subtype === "AT_AddColumn" && def !== undefined && "ColumnDef" in def) {
      this.freshColumns.add(`${table}.${def.ColumnDef.colname ?? ""}`);
      this.addKeysOf(relation, def.ColumnDef.constraints, def.ColumnDef.colname);
    } else if (subtype === "AT_AddConstraint" && def !== undefined && "Constraint" in def) {
      this.addKeysOf(relation, [def]);
      const column = notNullColumn(def.Constraint);
      if (column !== undefined) this.notNullChecks.set(`${table} ${def.Constraint.conname ?? ""}`, { column, validated: def.Constraint.skip_validation !== true });
    } else if (subtype === "AT_ValidateConstraint") {
      const check = this.notNullChecks.get(`${table} ${name ?? ""}`);
      if (check !== undefined) check.validated = true;
    } else if (subtype === "AT_DropConstraint") {
      this.notNullChecks.delete(`${table} ${name ?? ""}`);
    }
  }

  private addKeysOf(relation: RangeVar | undefined, constraints: Node[] | undefined, column?: string): void {
    for (const node of constraints ?? []) {
      if (!("Constraint" in node) || (node.Constraint.contype !== "CONSTR_PRIMARY" && node.Constraint.contype !== "CONSTR_UNIQUE")) continue;
      const first = strings(node.Constraint.keys)[0] ?? column;
      if (first !== undefined) this.addKey(relationName(relation), first);
    }
  }
}

/** The column of CHECK (column IS NOT NULL). */
export function notNullColumn({ contype, raw_expr: expression }: Constraint): string | undefined {
  if (contype !== "CONSTR_CHECK" || expression === undefined || !("NullTest" in expression) || expression.NullTest.nulltesttype !== "IS_NOT_NULL") return undefined;
  const { arg } = expression.NullTest;
  return arg !== undefined && "ColumnRef" in arg ? strings(arg.ColumnRef.fields).at(-1) : undefined;
}
