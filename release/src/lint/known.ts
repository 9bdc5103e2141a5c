import type { AlterDomainStmt, AlterTableStmt, ColumnDef, Constraint, CreateStmt, Node, ObjectType, RangeVar, RenameStmt, TypeName } from "libpg-query";
import { constraintName, constraintsOf, isNullConstant, newColumn, newTable, notNullColumns, columnsIn, type ColumnFacts, type DomainFacts, type TableFacts } from "./facts.js";
import { locksOf } from "./held.js";
import { made } from "./made.js";
import { strings } from "./names.js";
import { kindOf, Scope, type Kind } from "./scope.js";
import type { Source } from "./source.js";
import { elementsOf, nodesOf } from "./tree.js";

/**
 * What the SQL up to here has made. Nobody waits for a lock on an object made in the same file,
 * and no live version knows it; tables, keys and proofs are remembered from one file to the next.
 */
export class Known {
  scope = new Scope();
  /** Relations of others that the file has locked against writes, to the end of its transaction. */
  readonly held = new Set<string>();
  /** Of these, by DDL on the relation itself. */
  readonly altered = new Set<string>();
  /** Enum values that cannot be used before the transaction ends. */
  readonly newValues = new Set<string>();
  private readonly fresh = new Set<string>();
  /** Made by this file unless they were there before. */
  private readonly maybeFresh = new Set<string>();
  private readonly tables = new Map<string, TableFacts>();
  private readonly domains = new Map<string, DomainFacts>();
  /** The table and, where no expression is among them, the columns of an index. */
  private readonly indexes = new Map<string, { table: string; columns: string[] | undefined }>();
  /** Of the functions made here: whether they may give another value for each row. */
  private readonly volatile = new Map<string, boolean>();

  /** Nothing is new any more when the next file starts. */
  startFile(): void {
    this.scope = new Scope();
    for (const each of [this.held, this.altered, this.newValues, this.fresh, this.maybeFresh]) each.clear();
    for (const { columns } of this.tables.values()) for (const column of columns.values()) column.isFresh = false;
  }

  isFresh(type: ObjectType, node: Node | undefined): boolean {
    return this.isFreshName(kindOf(type), this.scope.object(type, node));
  }

  isFreshName(kind: Kind, name: string): boolean {
    if (this.fresh.has(`${kind} ${name}`)) return true;
    // DROP FUNCTION f, without arguments: PostgreSQL refuses it where there are two.
    return kind === "routine" && !name.endsWith(")") && [...this.fresh].some((each) => each.startsWith(`${kind} ${name}(`));
  }

  isFreshRelation(relation: RangeVar | undefined): boolean {
    return this.isFreshName("relation", this.scope.relation(relation));
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

  index(name: string): { table: string; columns: string[] | undefined } | undefined {
    return this.indexes.get(name);
  }

  tableNamed(name: string): TableFacts | undefined {
    return this.tables.get(name);
  }

  domain(type: TypeName | undefined): DomainFacts | undefined {
    return (type?.arrayBounds ?? []).length > 0 ? undefined : this.domains.get(this.scope.name("type", strings(type?.names)));
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
  isNeverNull(relation: RangeVar | undefined, column: string | undefined, without: (string | undefined)[] = []): boolean {
    const table = this.table(relation);
    if (table === undefined || column === undefined) return false;
    if (table.columns.get(column)?.notNull === true) return true;
    return [...table.checks].some(([name, { expression, isValidated }]) => isValidated && !without.includes(name) && notNullColumns(expression).includes(column));
  }

  /** What a backfill's header says: its batches follow this key. */
  addKey(table: string[], columns: string[]): void {
    const facts = this.tableFor(this.scope.name("relation", table));
    facts.hasPrimaryKey = true;
    facts.keys.set("(batch)", columns);
  }

  add(node: Node, source: Source): void {
    for (const { relation, isAltered } of locksOf(node, this)) {
      this.held.add(relation);
      if (isAltered) this.altered.add(relation);
    }
    for (const { type, name, isCertain, isTemporary } of made(node, this)) {
      if (isTemporary === true) this.scope.addTemporary(name.replace(/^.*\./, ""));
      const kind = kindOf(type);
      if (isCertain) this.fresh.add(`${kind} ${name}`);
      else if (kind === "relation") this.maybeFresh.add(name);
    }
    this.addFacts(node, source);
  }

  private addFacts(node: Node, source: Source): void {
    if ("CreateStmt" in node) this.create(node.CreateStmt);
    else if ("CreateSchemaStmt" in node) {
      const { schemaname = "", schemaElts = [] } = node.CreateSchemaStmt;
      this.scope.within(schemaname, () => {
        for (const element of schemaElts) this.add(element, source);
      });
    } else if ("AlterTableStmt" in node) this.alter(node.AlterTableStmt);
    else if ("IndexStmt" in node) {
      const { relation, idxname, indexParams, unique, whereClause } = node.IndexStmt;
      const elements = (indexParams ?? []).flatMap((each) => ("IndexElem" in each ? [each.IndexElem.name] : []));
      const columns = elements.flatMap((each) => (each === undefined ? [] : [each]));
      const isPlain = columns.length === elements.length;
      if (idxname === undefined) return;
      this.indexes.set(this.inSchemaOf(relation, idxname), { table: this.scope.relation(relation), columns: isPlain ? columns : undefined });
      if (unique === true && isPlain && whereClause === undefined) this.tableFor(this.scope.relation(relation)).keys.set(idxname, columns);
    } else if ("CreateDomainStmt" in node) {
      const { domainname, typeName, constraints, collClause } = node.CreateDomainStmt;
      const given = constraintsOf(constraints);
      const checks = given.filter(({ contype }) => contype === "CONSTR_CHECK");
      this.domains.set(this.scope.name("type", strings(domainname)), {
        type: typeName,
        typeText: source.from(typeName?.location ?? 0, [...given.map(({ location }) => location ?? 0), collClause?.location ?? 0]),
        isNotNull: given.some(({ contype }) => contype === "CONSTR_NOTNULL"),
        checks: new Map(checks.map((check, index) => [check.conname ?? String(index), checkText(check, source)])),
      });
    } else if ("AlterDomainStmt" in node) this.alterDomain(node.AlterDomainStmt, source);
    else if ("CreateFunctionStmt" in node) {
      const volatility = elementsOf(node.CreateFunctionStmt.options).find(({ defname }) => defname === "volatility")?.arg;
      const isVolatile = volatility === undefined || !("String" in volatility) || volatility.String.sval === "volatile";
      const name = this.scope.name("routine", strings(node.CreateFunctionStmt.funcname));
      this.volatile.set(name, isVolatile || this.volatile.get(name) === true);
    } else if ("AlterEnumStmt" in node) {
      const { typeName, newVal, oldVal } = node.AlterEnumStmt;
      if (oldVal === undefined && newVal !== undefined && !this.isFreshName("type", this.scope.name("type", strings(typeName)))) this.newValues.add(newVal);
    } else if ("DropStmt" in node) {
      const { removeType = "OBJECT_TABLE", objects } = node.DropStmt;
      for (const object of objects ?? []) this.forget(removeType, this.scope.object(removeType, object));
    } else if ("RenameStmt" in node) this.rename(node.RenameStmt);
    else if ("AlterObjectSchemaStmt" in node) {
      const { objectType = "OBJECT_TABLE", relation, object, newschema = "" } = node.AlterObjectSchemaStmt;
      const name = relation === undefined ? this.scope.object(objectType, object) : this.scope.relation(relation);
      this.move(kindOf(objectType), name, name.replace(/^[^.]*\./, `${newschema}.`));
    }
    this.followPath(node);
  }

  /** SET search_path, and set_config, which is as good. */
  private followPath(node: Node): void {
    if ("VariableSetStmt" in node) {
      const { name, kind, args } = node.VariableSetStmt;
      if (kind === "VAR_RESET_ALL" || (name === "search_path" && kind !== "VAR_SET_VALUE")) this.scope.setPath("public");
      else if (name === "search_path") this.scope.setPath(schemaIn(args?.[0]));
    }
    if ("DiscardStmt" in node && node.DiscardStmt.target === "DISCARD_ALL") this.scope.setPath("public");
    for (const { funcname, args = [] } of nodesOf(node, "FuncCall")) {
      if (strings(funcname).at(-1) === "set_config" && textOf(args[0])?.toLowerCase() !== undefined && textOf(args[0])?.toLowerCase() === "search_path") this.scope.setPath(schemaIn(args[1]));
    }
  }

  private create({ relation, tableElts = [], partspec, inhRelations, partbound, if_not_exists }: CreateStmt): void {
    const name = this.scope.relation(relation);
    for (const parent of inhRelations ?? []) {
      if ("RangeVar" in parent && partbound !== undefined) this.addPartition(this.tableFor(this.scope.relation(parent.RangeVar)), name, partbound.is_default === true);
    }
    if (if_not_exists === true && this.tables.has(name)) return;
    // What a parent or another table gives it is not known.
    const table = newTable(inhRelations === undefined && !tableElts.some((element) => "TableLikeClause" in element), partspec);
    this.tables.set(name, table);
    for (const element of tableElts) {
      if ("ColumnDef" in element) this.addColumn(table, relation, element.ColumnDef, if_not_exists !== true);
      if ("Constraint" in element) this.addConstraint(table, relation, element.Constraint);
    }
  }

  private alter({ relation, cmds = [], objtype }: AlterTableStmt): void {
    if (objtype === "OBJECT_INDEX") return;
    const table = this.tableFor(this.scope.relation(relation));
    const commands = cmds.flatMap((each) => ("AlterTableCmd" in each ? [each.AlterTableCmd] : []));
    // Whatever their order, PostgreSQL drops first.
    const first = commands.filter(({ subtype }) => subtype === "AT_DropColumn" || subtype === "AT_DropConstraint");
    for (const { subtype, name = "", def, missing_ok } of [...first, ...commands.filter((each) => !first.includes(each))]) {
      const column = table.columns.get(name);
      const definition = def !== undefined && "ColumnDef" in def ? def.ColumnDef : undefined;
      if (subtype === "AT_AddColumn" && definition !== undefined) this.addColumn(table, relation, definition, missing_ok !== true && !table.columns.has(definition.colname ?? ""));
      else if (subtype === "AT_DropColumn") dropColumn(table, name);
      else if (subtype === "AT_AddConstraint" && def !== undefined && "Constraint" in def) this.addConstraint(table, relation, def.Constraint);
      else if (subtype === "AT_DropConstraint") this.forget("OBJECT_TABCONSTRAINT", `${this.scope.relation(relation)} ${name}`);
      else if (subtype === "AT_ValidateConstraint") {
        const check = table.checks.get(name);
        if (check !== undefined) check.isValidated = true;
      } else if (subtype === "AT_SetNotNull") this.setNotNull(table, name, true);
      else if (subtype === "AT_DropNotNull") this.setNotNull(table, name, false);
      else if (subtype === "AT_AlterColumnType" && column !== undefined) column.type = definition?.typeName;
      else if (subtype === "AT_ColumnDefault" && column !== undefined) column.default = isNullConstant(def) ? undefined : def;
      else if (subtype === "AT_AddIdentity" && column !== undefined) column.isFilled = true;
      else if (subtype === "AT_AttachPartition" && def !== undefined && "PartitionCmd" in def) this.addPartition(table, this.scope.relation(def.PartitionCmd.name), def.PartitionCmd.bound?.is_default === true);
      else if (subtype === "AT_DetachPartition" && def !== undefined && "PartitionCmd" in def) {
        const partition = this.scope.relation(def.PartitionCmd.name);
        table.partitions = table.partitions.filter((each) => each !== partition);
      }
    }
  }

  private addPartition(table: TableFacts, partition: string, isDefault: boolean): void {
    table.isPartitioned = true;
    table.partitions.push(partition);
    if (isDefault) table.hasDefaultPartition = true;
  }

  private addColumn(table: TableFacts, relation: RangeVar | undefined, definition: ColumnDef, isFresh: boolean): void {
    const name = definition.colname ?? "";
    if (!isFresh && table.columns.has(name)) return;
    table.columns.set(name, newColumn(definition, isFresh));
    for (const each of constraintsOf(definition.constraints)) this.addConstraint(table, relation, each, name);
  }

  private addConstraint(table: TableFacts, relation: RangeVar | undefined, constraint: Constraint, column?: string): void {
    const { contype, keys, indexname, raw_expr: expression, skip_validation, is_enforced } = constraint;
    const first = constraintName(constraint, relation?.relname ?? "", column);
    let name = first;
    if (constraint.conname === undefined) for (let number = 1; table.checks.has(name); number++) name = `${first}${number}`;
    this.fresh.add(`OBJECT_TABCONSTRAINT ${this.scope.relation(relation)} ${name}`);
    if (contype === "CONSTR_PRIMARY" || contype === "CONSTR_UNIQUE") {
      const columns = indexname === undefined ? (keys === undefined ? [column ?? ""] : strings(keys)) : this.indexes.get(this.inSchemaOf(relation, indexname))?.columns;
      if (columns !== undefined) table.keys.set(name, columns);
      if (contype === "CONSTR_PRIMARY") {
        table.hasPrimaryKey = true;
        for (const each of columns ?? []) this.setNotNull(table, each, true);
      }
    } else if (contype === "CONSTR_CHECK" && is_enforced === true) table.checks.set(name, { expression, isValidated: skip_validation !== true });
    else if (contype === "CONSTR_NOTNULL" && skip_validation !== true) for (const each of strings(keys)) this.setNotNull(table, each, true);
  }

  private setNotNull(table: TableFacts, name: string, notNull: boolean): void {
    const column = table.columns.get(name);
    if (column !== undefined) column.notNull = notNull;
    else table.columns.set(name, { type: undefined, notNull, default: undefined, first: undefined, isFilled: true, isFresh: false });
  }

  private alterDomain({ subtype, typeName, name = "", def }: AlterDomainStmt, source: Source): void {
    const key = this.scope.name("type", strings(typeName));
    const domain = this.domains.get(key) ?? { type: undefined, typeText: "", isNotNull: false, checks: new Map<string, string>() };
    this.domains.set(key, domain);
    if (subtype === "O" || subtype === "N") domain.isNotNull = subtype === "O";
    else if (subtype === "X") domain.checks.delete(name);
    else if (subtype === "C" && def !== undefined && "Constraint" in def) domain.checks.set(def.Constraint.conname ?? String(domain.checks.size), checkText(def.Constraint, source));
  }

  private forget(type: ObjectType, name: string): void {
    const kind = kindOf(type);
    for (const each of [...this.fresh]) if (each === `${kind} ${name}` || (kind === "routine" && each.startsWith(`${kind} ${name}(`))) this.fresh.delete(each);
    if (kind === "relation") {
      if (name.startsWith("pg_temp.")) this.scope.dropTemporary(name.slice("pg_temp.".length));
      this.tables.delete(name);
      this.indexes.delete(name);
      this.maybeFresh.delete(name);
      for (const table of this.tables.values()) table.keys.delete(name.replace(/^.*\./, ""));
    } else if (type === "OBJECT_TABCONSTRAINT") {
      const [relation = "", constraint = ""] = name.split(" ");
      this.tables.get(relation)?.checks.delete(constraint);
      this.tables.get(relation)?.keys.delete(constraint);
    } else if (kind === "schema") {
      for (const each of [...this.tables.keys()]) if (each.startsWith(`${name}.`)) this.tables.delete(each);
    } else if (kind === "type") this.domains.delete(name);
  }

  private rename({ renameType = "OBJECT_TABLE", relation, object, subname = "", newname = "" }: RenameStmt): void {
    const table = this.table(relation);
    const name = this.scope.relation(relation);
    if (renameType === "OBJECT_COLUMN" && table !== undefined) {
      rename(table.columns, subname, newname);
      for (const [key, columns] of table.keys) table.keys.set(key, columns.map((column) => (column === subname ? newname : column)));
      // A proof names its column in its own words.
      for (const [key, { expression }] of table.checks) if (columnsIn(expression).includes(subname)) table.checks.delete(key);
    } else if (renameType === "OBJECT_TABCONSTRAINT" && table !== undefined) {
      rename(table.checks, subname, newname);
      rename(table.keys, subname, newname);
      this.move("OBJECT_TABCONSTRAINT", `${name} ${subname}`, `${name} ${newname}`);
    } else if (kindOf(renameType) === "relation" && relation !== undefined) this.move("relation", name, name.replace(/[^.]*$/, () => newname));
    else if (relation !== undefined) this.move(renameType, `${name} ${subname}`, `${name} ${newname}`);
    else if (object !== undefined) {
      const old = this.scope.object(renameType, object);
      this.move(kindOf(renameType), old, old.replace(/[^.(]*(\(.*)?$/, (_, types: string | undefined) => newname + (types ?? "")));
    } else this.move(kindOf(renameType), subname, newname);
  }

  private move(kind: Kind, from: string, to: string): void {
    if (this.fresh.delete(`${kind} ${from}`)) this.fresh.add(`${kind} ${to}`);
    if (kind === "relation") {
      rename(this.tables, from, to);
      rename(this.indexes, from, to);
    } else if (kind === "type") rename(this.domains, from, to);
  }

  private tableFor(name: string): TableFacts {
    const table = this.tables.get(name) ?? newTable(false);
    this.tables.set(name, table);
    return table;
  }

  /** An index lies in the schema of its table. */
  inSchemaOf(relation: RangeVar | undefined, name: string): string {
    return this.scope.relation(relation).replace(/[^.]*$/, () => name);
  }
}

function dropColumn(table: TableFacts, name: string): void {
  table.columns.delete(name);
  for (const [key, columns] of table.keys) if (columns.includes(name)) table.keys.delete(key);
  for (const [key, { expression }] of table.checks) if (columnsIn(expression).includes(name)) table.checks.delete(key);
}

function rename<Value>(map: Map<string, Value>, from: string, to: string): void {
  const value = map.get(from);
  if (value === undefined) return;
  map.delete(from);
  map.set(to, value);
}

function checkText(check: Constraint, source: Source): string {
  return source.from(source.after("CHECK", check.location ?? 0), []);
}

function textOf(node: Node | undefined): string | undefined {
  if (node !== undefined && "TypeCast" in node) return textOf(node.TypeCast.arg);
  return node !== undefined && "A_Const" in node ? node.A_Const.sval?.sval : undefined;
}

/** The first schema of a search path, which is where new objects go. */
function schemaIn(value: Node | undefined): string | undefined {
  return /^\s*"?([\w]+)"?\s*(?:,|$)/.exec(textOf(value) ?? "")?.[1];
}
