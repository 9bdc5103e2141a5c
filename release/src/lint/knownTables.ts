import type { AlterTableStmt, ColumnDef, Constraint, CreateStmt, ObjectType, RangeVar } from "libpg-query";
import {
  attributesOf,
  columnsIn,
  columnsOf,
  constraintName,
  constraintsOf,
  isNullConstant,
  newColumn,
  newTable,
  type Attributes,
  type ReferenceFacts,
  type TableFacts,
} from "./facts.js";
import { strings } from "../sql/tree.js";
import { kindOf } from "./scope.js";
import { KnownFacts } from "./knownFacts.js";

/** The same, and what statements about tables change of it. */
export class KnownTables extends KnownFacts {
  protected create({
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

  protected alter({ relation, cmds = [], objtype }: AlterTableStmt): void {
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

  protected addConstraint(
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

  protected forget(type: ObjectType, name: string): void {
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

  protected tableFor(name: string): TableFacts {
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
