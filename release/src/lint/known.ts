import type {
  AlterDomainStmt,
  AlterTableStmt,
  ColumnDef,
  Constraint,
  CreateStmt,
  Node,
  ObjectType,
  RangeVar,
  RenameStmt,
  TypeName,
} from "libpg-query";
import {
  attributesOf,
  columnsIn,
  columnsOf,
  constraintName,
  constraintsOf,
  indexFacts,
  indexName,
  isNullConstant,
  newColumn,
  newTable,
  nothingDropped,
  notNullColumns,
  type Attributes,
  type ColumnFacts,
  type DomainFacts,
  type IndexFacts,
  type ReferenceFacts,
  type TableFacts,
} from "./facts.js";
import { locksOf } from "./held.js";
import { made } from "./made.js";
import { strings } from "../sql/names.js";
import { kindOf, Scope, type Kind, type KnownObjects } from "./scope.js";
import type { Source } from "../sql/source.js";
import { elementsOf, nodesOf } from "../sql/tree.js";

/**
 * What the SQL up to here has made. Nobody waits for a lock on an object made in the same file,
 * and no live version knows it; tables, keys and proofs are remembered from one file to the next.
 */
export class Known implements KnownObjects {
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
  /** Types that have another name since this file. */
  private readonly renamedTypes = new Set<string>();
  private readonly tables = new Map<string, TableFacts>();
  private readonly domains = new Map<string, DomainFacts>();
  private readonly indexes = new Map<string, IndexFacts>();
  /** The views, each with the relations that it shows and the columns that it names; undefined: all columns. */
  private readonly views = new Map<string, { relations: string[]; columns: string[] | undefined }>();
  /** Of the functions made here: whether they may give another value for each row. */
  private readonly volatile = new Map<string, boolean>();
  /** Functions that nothing but a trigger calls. */
  private readonly triggerFunctions = new Set<string>();
  /** Operators made here, by their names. */
  private readonly operators = new Set<string>();

  /** Nothing is new any more when the next file starts. */
  startFile(): void {
    this.scope = new Scope();
    for (const each of [
      this.held,
      this.altered,
      this.newValues,
      this.fresh,
      this.maybeFresh,
      this.renamedTypes,
    ])
      each.clear();
    for (const table of this.tables.values()) {
      table.dropped = nothingDropped();
      for (const column of table.columns.values()) column.isFresh = false;
    }
  }

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
      const { relation, idxname, unique, whereClause } = node.IndexStmt;
      const facts = indexFacts(node.IndexStmt, this.scope.relation(relation));
      const first = indexName(node.IndexStmt);
      let name = first;
      if (idxname === undefined)
        for (let number = 1; this.indexes.has(this.scope.inSchemaOf(relation, name)); number++)
          name = `${first}${number}`;
      this.indexes.set(this.scope.inSchemaOf(relation, name), facts);
      if (unique === true && facts.columns !== undefined && whereClause === undefined)
        this.tableFor(facts.table).keys.set(name, facts.columns);
    } else if ("ViewStmt" in node) {
      const { view, query } = node.ViewStmt;
      const stars = nodesOf(query, "ColumnRef").some(({ fields = [] }) =>
        fields.some((field) => "A_Star" in field),
      );
      this.views.set(this.scope.relation(view), {
        relations: nodesOf(query, "RangeVar").map((relation) => this.scope.relation(relation)),
        columns: stars ? undefined : columnsIn(query),
      });
    } else if ("CreateDomainStmt" in node) {
      const { domainname, typeName, constraints, collClause } = node.CreateDomainStmt;
      const given = constraintsOf(constraints);
      const checks = given.filter(({ contype }) => contype === "CONSTR_CHECK");
      this.domains.set(this.scope.name("type", strings(domainname)), {
        type: typeName,
        typeText: source.from(typeName?.location ?? 0, [
          ...given.map(({ location }) => location ?? 0),
          collClause?.location ?? 0,
        ]),
        isNotNull: given.some(({ contype }) => contype === "CONSTR_NOTNULL"),
        checks: new Map(
          checks.map((check, index) => [check.conname ?? String(index), checkText(check, source)]),
        ),
      });
    } else if ("AlterDomainStmt" in node) this.alterDomain(node.AlterDomainStmt, source);
    else if ("CreateFunctionStmt" in node) {
      const volatility = elementsOf(node.CreateFunctionStmt.options).find(
        ({ defname }) => defname === "volatility",
      )?.arg;
      const isVolatile =
        volatility === undefined || !("String" in volatility) || volatility.String.sval === "volatile";
      const name = this.scope.name("routine", strings(node.CreateFunctionStmt.funcname));
      this.volatile.set(name, isVolatile || this.volatile.get(name) === true);
      if (strings(node.CreateFunctionStmt.returnType?.names).at(-1) === "trigger")
        this.triggerFunctions.add(name);
      else this.triggerFunctions.delete(name);
    } else if ("DefineStmt" in node) {
      if (node.DefineStmt.kind === "OBJECT_OPERATOR")
        this.operators.add(strings(node.DefineStmt.defnames).at(-1) ?? "");
    } else if ("AlterEnumStmt" in node) {
      const { typeName, newVal, oldVal } = node.AlterEnumStmt;
      if (
        oldVal === undefined &&
        newVal !== undefined &&
        !this.isFreshName("type", this.scope.name("type", strings(typeName)))
      )
        this.newValues.add(newVal);
    } else if ("DropStmt" in node) {
      const { removeType = "OBJECT_TABLE", objects } = node.DropStmt;
      for (const object of objects ?? []) this.forget(removeType, this.scope.object(removeType, object));
    } else if ("RenameStmt" in node) this.rename(node.RenameStmt);
    else if ("AlterObjectSchemaStmt" in node) {
      const { objectType = "OBJECT_TABLE", relation, object, newschema = "" } = node.AlterObjectSchemaStmt;
      const name =
        relation === undefined ? this.scope.object(objectType, object) : this.scope.relation(relation);
      this.move(kindOf(objectType), name, name.replace(/^[^.]*\./, `${newschema}.`));
    }
    this.followPath(node);
  }

  /** SET search_path, and set_config, which is as good. */
  private followPath(node: Node): void {
    if ("VariableSetStmt" in node) {
      const { name, kind, args } = node.VariableSetStmt;
      if (kind === "VAR_RESET_ALL" || (name === "search_path" && kind !== "VAR_SET_VALUE"))
        this.scope.setPath("public");
      else if (name === "search_path") this.scope.setPath(schemaIn(args?.[0]));
    }
    if ("DiscardStmt" in node && node.DiscardStmt.target === "DISCARD_ALL") this.scope.setPath("public");
    for (const { funcname, args = [] } of nodesOf(node, "FuncCall")) {
      if (
        strings(funcname).at(-1) === "set_config" &&
        textOf(args[0])?.toLowerCase() !== undefined &&
        textOf(args[0])?.toLowerCase() === "search_path"
      )
        this.scope.setPath(schemaIn(args[1]));
    }
  }

  private create({
    relation,
    tableElts = [],
    partspec,
    inhRelations,
    partbound,
    if_not_exists,
  }: CreateStmt): void {
    const name = this.scope.relation(relation);
    for (const parent of inhRelations ?? []) {
      if ("RangeVar" in parent && partbound !== undefined)
        this.addPartition(
          this.tableFor(this.scope.relation(parent.RangeVar)),
          name,
          partbound.is_default === true,
        );
    }
    if (if_not_exists === true && this.tables.has(name)) return;
    // What a parent or another table gives it is not known.
    const table = newTable(
      inhRelations === undefined && !tableElts.some((element) => "TableLikeClause" in element),
      partspec,
    );
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
    const first = commands.filter(
      ({ subtype }) => subtype === "AT_DropColumn" || subtype === "AT_DropConstraint",
    );
    for (const { subtype, name = "", def, missing_ok } of [
      ...first,
      ...commands.filter((each) => !first.includes(each)),
    ]) {
      const column = table.columns.get(name);
      const definition = def !== undefined && "ColumnDef" in def ? def.ColumnDef : undefined;
      if (subtype === "AT_AddColumn" && definition !== undefined)
        this.addColumn(
          table,
          relation,
          definition,
          missing_ok !== true && !table.columns.has(definition.colname ?? ""),
        );
      else if (subtype === "AT_DropColumn") dropColumn(table, name);
      else if (subtype === "AT_AddConstraint" && def !== undefined && "Constraint" in def)
        this.addConstraint(table, relation, def.Constraint);
      else if (subtype === "AT_DropConstraint")
        this.forget("OBJECT_TABCONSTRAINT", `${this.scope.relation(relation)} ${name}`);
      else if (subtype === "AT_ValidateConstraint") {
        const check = table.checks.get(name);
        if (check !== undefined) check.isValidated = true;
      } else if (subtype === "AT_SetNotNull") this.setNotNull(table, name, true);
      else if (subtype === "AT_DropNotNull") this.setNotNull(table, name, false);
      else if (subtype === "AT_AlterColumnType" && column !== undefined) column.type = definition?.typeName;
      else if (subtype === "AT_ColumnDefault" && column !== undefined)
        column.default = isNullConstant(def) ? undefined : def;
      else if (subtype === "AT_AddIdentity" && column !== undefined) column.isFilled = true;
      else if (subtype === "AT_AttachPartition" && def !== undefined && "PartitionCmd" in def)
        this.addPartition(
          table,
          this.scope.relation(def.PartitionCmd.name),
          def.PartitionCmd.bound?.is_default === true,
        );
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

  private addColumn(
    table: TableFacts,
    relation: RangeVar | undefined,
    definition: ColumnDef,
    isFresh: boolean,
  ): void {
    const name = definition.colname ?? "";
    if (!isFresh && table.columns.has(name)) return;
    table.columns.set(name, newColumn(definition, isFresh));
    const all = constraintsOf(definition.constraints);
    for (const each of all) this.addConstraint(table, relation, each, name, attributesOf(each, all));
  }

  private addConstraint(
    table: TableFacts,
    relation: RangeVar | undefined,
    constraint: Constraint,
    column?: string,
    attributes: Attributes = attributesOf(constraint),
  ): void {
    const { contype, keys, indexname, raw_expr: expression, skip_validation } = constraint;
    const first = constraintName(constraint, relation?.relname ?? "", column);
    let name = first;
    if (constraint.conname === undefined)
      for (let number = 1; table.checks.has(name); number++) name = `${first}${number}`;
    this.fresh.add(`OBJECT_TABCONSTRAINT ${this.scope.relation(relation)} ${name}`);
    if (contype === "CONSTR_PRIMARY" || contype === "CONSTR_UNIQUE") {
      const columns =
        indexname === undefined
          ? keys === undefined
            ? [column ?? ""]
            : strings(keys)
          : this.indexes.get(this.scope.inSchemaOf(relation, indexname))?.columns;
      if (columns !== undefined) table.keys.set(name, columns);
      if (contype === "CONSTR_PRIMARY") {
        table.hasPrimaryKey = true;
        for (const each of columns ?? []) this.setNotNull(table, each, true);
      }
    } else if (contype === "CONSTR_CHECK" && attributes.isEnforced)
      table.checks.set(name, { expression, isValidated: skip_validation !== true });
    else if (contype === "CONSTR_FOREIGN" && attributes.isEnforced)
      table.references.set(name, this.reference(constraint, column, attributes));
    else if (contype === "CONSTR_NOTNULL" && skip_validation !== true)
      for (const each of strings(keys)) this.setNotNull(table, each, true);
  }

  reference(
    constraint: Constraint,
    column?: string,
    { deferral }: Attributes = attributesOf(constraint),
  ): ReferenceFacts {
    const { pktable, pk_attrs, fk_matchtype = "s", fk_del_action = "a", fk_upd_action = "a" } = constraint;
    const named = strings(pk_attrs);
    return {
      columns: columnsOf(constraint, column),
      target: this.scope.relation(pktable),
      targetColumns:
        named.length > 0 ? named : (this.table(pktable)?.keys.get(`${pktable?.relname ?? ""}_pkey`) ?? []),
      match: fk_matchtype,
      onDelete: fk_del_action,
      onUpdate: fk_upd_action,
      deferral,
    };
  }

  private setNotNull(table: TableFacts, name: string, notNull: boolean): void {
    const column = table.columns.get(name);
    if (column !== undefined) column.notNull = notNull;
    else
      table.columns.set(name, {
        type: undefined,
        notNull,
        default: undefined,
        first: undefined,
        isFilled: true,
        isFresh: false,
      });
  }

  private alterDomain({ subtype, typeName, name = "", def }: AlterDomainStmt, source: Source): void {
    const key = this.scope.name("type", strings(typeName));
    const domain = this.domains.get(key) ?? {
      type: undefined,
      typeText: "",
      isNotNull: false,
      checks: new Map<string, string>(),
    };
    this.domains.set(key, domain);
    if (subtype === "O" || subtype === "N") domain.isNotNull = subtype === "O";
    else if (subtype === "X") domain.checks.delete(name);
    else if (subtype === "C" && def !== undefined && "Constraint" in def)
      domain.checks.set(
        def.Constraint.conname ?? String(domain.checks.size),
        checkText(def.Constraint, source),
      );
  }

  private forget(type: ObjectType, name: string): void {
    const kind = kindOf(type);
    for (const each of [...this.fresh])
      if (each === `${kind} ${name}` || (kind === "routine" && each.startsWith(`${kind} ${name}(`)))
        this.fresh.delete(each);
    if (kind === "relation") {
      if (name.startsWith("pg_temp.")) this.scope.dropTemporary(name.slice("pg_temp.".length));
      this.tables.delete(name);
      this.views.delete(name);
      const index = this.indexes.get(name);
      if (index !== undefined) this.forgetKey(this.tables.get(index.table), name.replace(/^.*\./, ""));
      this.indexes.delete(name);
      this.maybeFresh.delete(name);
    } else if (type === "OBJECT_TABCONSTRAINT") {
      const [relation = "", constraint = ""] = name.split(" ");
      const table = this.tables.get(relation);
      const check = table?.checks.get(constraint);
      if (check !== undefined) table?.dropped.checks.push(check.expression);
      table?.checks.delete(constraint);
      const reference = table?.references.get(constraint);
      if (reference !== undefined) table?.dropped.references.push(reference);
      table?.references.delete(constraint);
      this.forgetKey(table, constraint);
    } else if (kind === "schema") {
      for (const each of [...this.tables.keys()]) if (each.startsWith(`${name}.`)) this.tables.delete(each);
    } else if (kind === "type") this.domains.delete(name);
  }

  private forgetKey(table: TableFacts | undefined, name: string): void {
    const key = table?.keys.get(name);
    if (key !== undefined) table?.dropped.keys.push(key);
    table?.keys.delete(name);
  }

  private rename({
    renameType = "OBJECT_TABLE",
    relation,
    object,
    subname = "",
    newname = "",
  }: RenameStmt): void {
    const table = this.table(relation);
    const name = this.scope.relation(relation);
    if (renameType === "OBJECT_COLUMN" && table !== undefined) {
      rename(table.columns, subname, newname);
      for (const [key, columns] of table.keys)
        table.keys.set(
          key,
          columns.map((column) => (column === subname ? newname : column)),
        );
      for (const index of this.indexes.values()) {
        if (index.table !== name) continue;
        index.columns = index.columns?.map((column) => (column === subname ? newname : column));
        index.bound = index.bound.map((column) => (column === subname ? newname : column));
      }
      for (const reference of table.references.values())
        reference.columns = reference.columns.map((column) => (column === subname ? newname : column));
      // A proof names its column in its own words.
      for (const [key, { expression }] of table.checks)
        if (columnsIn(expression).includes(subname)) table.checks.delete(key);
    } else if (renameType === "OBJECT_TABCONSTRAINT" && table !== undefined) {
      rename(table.checks, subname, newname);
      rename(table.keys, subname, newname);
      rename(table.references, subname, newname);
      this.move("OBJECT_TABCONSTRAINT", `${name} ${subname}`, `${name} ${newname}`);
    } else if (kindOf(renameType) === "relation" && relation !== undefined)
      this.move(
        "relation",
        name,
        name.replace(/[^.]*$/, () => newname),
      );
    else if (relation !== undefined) this.move(renameType, `${name} ${subname}`, `${name} ${newname}`);
    else if (object !== undefined) {
      const old = this.scope.object(renameType, object);
      this.move(
        kindOf(renameType),
        old,
        old.replace(/[^.(]*(\(.*)?$/, (_, types: string | undefined) => newname + (types ?? "")),
      );
    } else this.move(kindOf(renameType), subname, newname);
  }

  private move(kind: Kind, from: string, to: string): void {
    if (this.fresh.delete(`${kind} ${from}`)) this.fresh.add(`${kind} ${to}`);
    if (kind === "relation") {
      rename(this.tables, from, to);
      rename(this.indexes, from, to);
      rename(this.views, from, to);
    } else if (kind === "type") {
      rename(this.domains, from, to);
      this.renamedTypes.add(to);
    }
  }

  private tableFor(name: string): TableFacts {
    const table = this.tables.get(name) ?? newTable(false);
    this.tables.set(name, table);
    return table;
  }
}

function dropColumn(table: TableFacts, name: string): void {
  table.columns.delete(name);
  for (const [key, columns] of table.keys) if (columns.includes(name)) table.keys.delete(key);
  for (const [key, { expression }] of table.checks)
    if (columnsIn(expression).includes(name)) table.checks.delete(key);
  for (const [key, { columns }] of table.references) if (columns.includes(name)) table.references.delete(key);
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
