import type { AlterTableCmd, ColumnDef, Constraint, CreateStmt, RangeVar, RenameStmt } from "libpg-query";
import { commandsOf } from "../../lint/commands.js";
import { columnsIn, constraintName, constraintOf, constraintsOf, isFilled } from "../../lint/facts.js";
import { nameOf, objectParts, relationName, strings } from "../../sql/tree.js";
import { parseSql, type RawStatement } from "../../sql/parse.js";
import { Source } from "../../sql/source.js";
import { UserError } from "../../util/userError.js";
import { identifier } from "./target.js";
import { bluegreen } from "../../util/bluegreenCommand.js";
import {
  change,
  defaultOf,
  indexedColumns,
  indexOf,
  numbers,
  typeOf,
  type Column,
  type Table,
} from "./table.js";

interface Place {
  /** File and line. */
  at: string;
  source: Source;
}

/** The tables that the migrations of a folder make, applied in order. */
export class Tables {
  readonly tables = new Map<string, Table>();
  /** Columns, as table.column, that other tables point to. */
  readonly referenced = new Set<string>();
  /** Domains with a rule of their own. */
  readonly ruledDomains = new Set<string>();
  /** Statements that no column can be followed through: views, functions, triggers, grants. */
  private readonly others: (Place & { kind: string })[] = [];

  /** @throws UserError for SQL that PostgreSQL's grammar does not take */
  add(path: string, sql: string): void {
    const bytes = Buffer.from(sql);
    const parsed = parseSql(sql, bytes);
    const lineOf = (at: number) => bytes.toString("utf8", 0, at).split("\n").length;
    if ("error" in parsed)
      throw new UserError({
        code: "BG-SQL-SYNTAX",
        what: `${path}:${lineOf(parsed.at)} cannot be read`,
        rule: parsed.error,
        next: `${bluegreen} lint`,
      });
    for (const statement of parsed.statements) {
      const source = new Source(bytes, statement.start, statement.end);
      this.addStatement(statement, bytes, { at: `${path}:${lineOf(source.first)}`, source });
    }
  }

  /** Where else a column of a table may be named, in words. */
  mentionsOf(table: string, column: string): string[] {
    const name = table.split(".").at(-1) ?? table;
    const named = this.others.filter(({ source, kind }) => {
      const namesColumn = source.mentions(column) || (kind.endsWith("view") && source.hasStar);
      return namesColumn && (kind === "function" || source.mentions(name));
    });
    return named.map(({ at, kind }) => `${kind} at ${at}`);
  }

  private addStatement(statement: RawStatement, bytes: Buffer, place: Place): void {
    const { node } = statement;
    if ("CreateStmt" in node) this.create(node.CreateStmt, place);
    else if ("AlterTableStmt" in node) {
      const table = this.tables.get(relationName(node.AlterTableStmt.relation));
      for (const { command, relation, at } of commandsOf(statement, bytes))
        if (table !== undefined) this.alter(table, relation, command, at, place);
    } else if ("IndexStmt" in node)
      this.tables.get(relationName(node.IndexStmt.relation))?.indexes.push(indexOf(node.IndexStmt));
    else if ("DropStmt" in node)
      this.drop(node.DropStmt.removeType, (node.DropStmt.objects ?? []).map(objectParts));
    else if ("RenameStmt" in node) this.rename(node.RenameStmt);
    else if ("CreateDomainStmt" in node) {
      if (node.CreateDomainStmt.constraints !== undefined)
        this.ruledDomains.add(nameOf(strings(node.CreateDomainStmt.domainname)));
    } else if ("AlterDomainStmt" in node) {
      this.ruledDomains.add(nameOf(strings(node.AlterDomainStmt.typeName)));
    } else {
      const kind = kinds.find(([key]) => key in node)?.[1];
      if (kind !== undefined) this.others.push({ ...place, kind });
    }
  }

  private create(made: CreateStmt, place: Place): void {
    const name = relationName(made.relation);
    if (this.tables.has(name)) return;
    const elements = made.tableElts ?? [];
    const parts = (made.partspec?.partParams ?? []).flatMap((node) =>
      "PartitionElem" in node ? [node.PartitionElem] : [],
    );
    const table: Table = {
      columns: new Map(),
      primaryKey: [],
      indexes: [],
      foreignKeys: new Map(),
      checks: new Map(),
      partitionKey:
        made.partspec &&
        parts.flatMap((part) => [...(part.name === undefined ? [] : [part.name]), ...columnsIn(part.expr)]),
      borrows: elements.some((element) => "TableLikeClause" in element),
      bound: made.ofTypename && "its columns are those of a type",
    };
    this.tables.set(name, table);
    for (const node of made.inhRelations ?? [])
      if ("RangeVar" in node) this.bind(table, node.RangeVar, made.partbound !== undefined);
    for (const element of elements) {
      if ("ColumnDef" in element) this.addColumn(table, made.relation, element.ColumnDef, place);
      if ("Constraint" in element) this.addConstraint(table, made.relation, element.Constraint);
    }
  }

  private bind(child: Table, parent: RangeVar, isPartition: boolean): void {
    child.bound = `its columns are those of ${relationName(parent)}`;
    const above = this.tables.get(relationName(parent));
    if (above !== undefined && !isPartition)
      above.bound = "tables inherit from it, and they do not inherit a trigger";
  }

  private addColumn(table: Table, relation: RangeVar | undefined, definition: ColumnDef, place: Place): void {
    const { colname = "" } = definition;
    if (table.columns.has(colname)) return;
    const constraints = constraintsOf(definition.constraints);
    const stops = [...constraints.map(({ location }) => location ?? 0), definition.collClause?.location ?? 0];
    const given = constraintOf(definition, "CONSTR_DEFAULT");
    const column: Column = {
      ...typeOf(definition, stops, place.source),
      notNull: constraintOf(definition, "CONSTR_NOTNULL", "CONSTR_PRIMARY") !== undefined,
      default: defaultOf(given?.raw_expr, () =>
        place.source.from(place.source.after("DEFAULT", given?.location ?? 0), stops),
      ),
      filled: isFilled(definition) || numbers(given?.raw_expr),
    };
    table.columns.set(colname, column);
    for (const constraint of constraints) this.addConstraint(table, relation, constraint, colname);
  }

  private addConstraint(
    table: Table,
    relation: RangeVar | undefined,
    constraint: Constraint,
    column?: string,
  ): void {
    const { contype, indexname } = constraint;
    const own = column === undefined ? [] : [column];
    const name = constraintName(constraint, relation?.relname ?? "", column);
    const keys = constraint.keys === undefined ? own : strings(constraint.keys);
    if (contype === "CONSTR_PRIMARY" || contype === "CONSTR_UNIQUE") {
      const index = table.indexes.find((each) => indexname !== undefined && each.name === indexname);
      const columns = index?.columns ?? keys;
      if (contype === "CONSTR_PRIMARY") {
        table.primaryKey = columns;
        return;
      }
      table.indexes = table.indexes.filter((each) => each !== index);
      const plain =
        constraint.nulls_not_distinct !== true &&
        constraint.deferrable !== true &&
        constraint.including === undefined &&
        constraint.options === undefined &&
        (index?.plain ?? true);
      table.indexes.push({
        name,
        unique: true,
        isConstraint: true,
        method: "btree",
        columns,
        plain,
      });
    } else if (contype === "CONSTR_FOREIGN") {
      const columns = constraint.fk_attrs === undefined ? own : strings(constraint.fk_attrs);
      table.foreignKeys.set(name, columns);
      for (const target of strings(constraint.pk_attrs))
        this.referenced.add(`${relationName(constraint.pktable)}.${target}`);
    } else if (contype === "CONSTR_CHECK" || contype === "CONSTR_EXCLUSION") {
      const columns = [
        ...columnsIn(constraint.raw_expr),
        ...columnsIn(constraint.exclusions),
        ...indexedColumns(constraint.exclusions),
      ];
      table.checks.set(name, {
        what: `${contype === "CONSTR_CHECK" ? "CHECK" : "EXCLUDE"} ${identifier(name)}`,
        columns,
      });
    } else if (contype === "CONSTR_GENERATED" && constraint.raw_expr !== undefined) {
      table.checks.set(`generated ${column ?? ""}`, {
        what: `generated column ${identifier(column ?? "")}, without which the old column cannot be dropped`,
        columns: columnsIn(constraint.raw_expr),
      });
    } else if (contype === "CONSTR_NOTNULL") {
      for (const key of keys) change(table, key, { notNull: true });
    }
  }

  private alter(
    table: Table,
    relation: RangeVar | undefined,
    { subtype, name = "", def }: AlterTableCmd,
    at: number,
    { source }: Place,
  ): void {
    const definition = def !== undefined && "ColumnDef" in def ? def.ColumnDef : undefined;
    const constraint = def !== undefined && "Constraint" in def ? def.Constraint : undefined;
    if (subtype === "AT_AddColumn" && definition !== undefined)
      this.addColumn(table, relation, definition, { at: "", source });
    else if (subtype === "AT_AddConstraint" && constraint !== undefined)
      this.addConstraint(table, relation, constraint);
    else if (subtype === "AT_AlterColumnType" && definition !== undefined)
      change(table, name, typeOf(definition, [definition.collClause?.location ?? 0], source));
    else if (subtype === "AT_ColumnDefault")
      change(table, name, {
        default: defaultOf(def, () => source.from(source.after("DEFAULT", at), [])),
        filled: numbers(def),
      });
    else if (subtype === "AT_SetNotNull" || subtype === "AT_DropNotNull")
      change(table, name, { notNull: subtype === "AT_SetNotNull" });
    else if (subtype === "AT_AddIdentity") change(table, name, { filled: true });
    else if (subtype === "AT_DropIdentity" || subtype === "AT_DropExpression")
      change(table, name, { filled: false });
    else if (subtype === "AT_AddInherit" && def !== undefined && "RangeVar" in def)
      this.bind(table, def.RangeVar, false);
    else if (
      subtype === "AT_AttachPartition" &&
      def !== undefined &&
      "PartitionCmd" in def &&
      relation !== undefined
    ) {
      const partition = this.tables.get(relationName(def.PartitionCmd.name));
      if (partition !== undefined) this.bind(partition, relation, true);
    } else if (subtype === "AT_DropConstraint") {
      table.indexes = table.indexes.filter((index) => index.name !== name);
      table.foreignKeys.delete(name);
      table.checks.delete(name);
      if (name === `${relation?.relname ?? ""}_pkey`) table.primaryKey = [];
    } else if (subtype === "AT_DropColumn") {
      table.columns.delete(name);
      table.indexes = table.indexes.filter(({ columns }) => !columns.includes(name));
      for (const [key, columns] of table.foreignKeys)
        if (columns.includes(name)) table.foreignKeys.delete(key);
      for (const [key, { columns }] of table.checks) if (columns.includes(name)) table.checks.delete(key);
    }
  }

  private drop(type: string | undefined, objects: string[][]): void {
    for (const parts of objects) {
      if (type === "OBJECT_TABLE") this.tables.delete(nameOf(parts));
      if (type === "OBJECT_INDEX")
        for (const table of this.tables.values())
          table.indexes = table.indexes.filter(({ name }) => name !== parts.at(-1));
    }
  }

  private rename({ renameType, relation, subname = "", newname = "" }: RenameStmt): void {
    const table = this.tables.get(relationName(relation));
    if (renameType === "OBJECT_TABLE" && table !== undefined) {
      this.tables.delete(relationName(relation));
      this.tables.set(nameOf([relation?.schemaname, newname]), table);
    } else if (renameType === "OBJECT_COLUMN" && table !== undefined) {
      const renamed = (columns: string[]) => columns.map((column) => (column === subname ? newname : column));
      table.columns = new Map(
        [...table.columns].map(([column, about]) => [column === subname ? newname : column, about]),
      );
      table.primaryKey = renamed(table.primaryKey);
      for (const index of [...table.indexes, ...table.checks.values()])
        index.columns = renamed(index.columns);
      for (const [key, columns] of table.foreignKeys) table.foreignKeys.set(key, renamed(columns));
    }
  }
}

/** Statements whose columns are looked for by their words. */
const kinds = [
  ["ViewStmt", "view"],
  ["CreateTableAsStmt", "materialized view"],
  ["CreateTrigStmt", "trigger"],
  ["CreateFunctionStmt", "function"],
  ["CreatePolicyStmt", "policy"],
  ["RuleStmt", "rule"],
  ["CreateStatsStmt", "statistics"],
  ["CreatePublicationStmt", "publication"],
  ["GrantStmt", "grant"],
  ["CommentStmt", "comment"],
  ["DoStmt", "DO block"],
] as const;
