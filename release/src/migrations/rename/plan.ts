import { nameOf } from "../../sql/tree.js";
import { UserError } from "../../util/userError.js";
import { identifier, joinName, type Target } from "./target.js";
import type { Column, Index, Table } from "./table.js";
import type { Tables } from "./tables.js";

/** A rename that two live versions survive, with all that its files say. */
export interface RenamePlan {
  target: Target;
  newName: string;
  /** The column of the primary key: batches follow it. */
  key: string;
  column: Column;
  /** Built for the new column as others are for the old one. */
  indexes: NewIndex[];
  /** What nobody but a person can do, in words. */
  byHand: string[];
}

export interface NewIndex {
  name: string;
  columns: string[];
  like: Index;
  /** It is unique by the column that is renamed, not by other columns that are unique already. */
  bindsNewColumn: boolean;
}

/**
 * Reads what the migrations have made of a column.
 * @param type of a column that the files do not name themselves, as one that comes from LIKE
 * @throws UserError for a column that cannot be renamed this way
 */
export function planRename(
  tables: Tables,
  target: Target,
  newName: string,
  type: string | undefined,
): RenamePlan {
  const name = nameOf([target.schema, target.table]);
  const shown = `${name}.${target.column}`;
  const refuse = (rule: string, next: string) =>
    new UserError({
      code: "BG-RENAME-REFUSED",
      what: `The rename of ${shown} to ${newName} was refused`,
      rule,
      next,
    });
  const table = tables.tables.get(name);
  if (table === undefined)
    throw refuse(
      `the migrations make no table ${name}; they make ${[...tables.tables.keys()].sort().join(", ") || "none"}`,
      "name one of them, with its schema unless that is public",
    );
  if (table.bound !== undefined)
    throw refuse(table.bound, "rename the column where it comes from, or write the rename by hand");
  const column = findColumn(table, target.column, type, refuse);
  refuseUnfit(tables, name, table, target.column, column, newName, refuse);
  const [key, ...rest] = table.primaryKey;
  if (key === undefined || rest.length > 0)
    throw refuse(
      `the backfill goes along a primary key of one column; ${name} has ${key === undefined ? "none" : `(${table.primaryKey.join(", ")})`}`,
      "write the rename by hand: docs/reference/lint-rules.md, rename-column",
    );
  for (const each of [name, target.column, newName, key]) {
    if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|\$dual_write\$/u.test(each))
      throw refuse(
        `the name ${JSON.stringify(each)} cannot stand in a comment or a function's body`,
        "write the rename by hand",
      );
  }
  if (/\s/.test(name + key))
    throw refuse(
      `a backfill's header "-- batch: TABLE by KEY" takes no names with blanks, as ${name} by ${key}`,
      "write the rename by hand",
    );
  const concerned = table.indexes.filter(({ columns }) => columns.includes(target.column));
  const again = concerned.filter(({ plain }) => plain && table.partitionKey === undefined);
  const left = concerned.filter((index) => !again.includes(index));
  return {
    target,
    newName,
    key,
    column,
    indexes: newIndexes(table, again, target, newName),
    byHand: byHand(tables, name, table, column, target.column, left),
  };
}

function newIndexes(
  { indexes, primaryKey }: Table,
  again: Index[],
  target: Target,
  newName: string,
): NewIndex[] {
  const taken = new Set(indexes.map(({ name }) => name));
  const keys = [
    primaryKey,
    ...indexes.filter(({ unique, plain }) => unique && plain).map(({ columns }) => columns),
  ].filter((columns) => !columns.includes(target.column));
  return again.map((like) => {
    const columns = like.columns.map((column) => (column === target.column ? newName : column));
    const first = joinName(target.table, ...columns, like.isConstraint ? "key" : "idx");
    let name = first;
    for (let number = 2; taken.has(name); number++) name = joinName(first, String(number));
    taken.add(name);
    const bindsNewColumn =
      like.unique && !keys.some((key) => key.every((column) => columns.includes(column)));
    if (like.unique) keys.push(columns);
    return { name, columns, like, bindsNewColumn };
  });
}

type Refuse = (rule: string, next: string) => UserError;

function findColumn(table: Table, name: string, type: string | undefined, refuse: Refuse): Column {
  const column = table.columns.get(name);
  if (column !== undefined) {
    if (type !== undefined)
      throw refuse(
        `its type is known: ${column.type}, not to be given as --type ${type}; a rename keeps it`,
        "leave --type out",
      );
    return column;
  }
  if (!table.borrows)
    throw refuse(
      `the table has the columns ${[...table.columns.keys()].join(", ") || "(none)"}`,
      "name one of them, as in SQL: quoted where it has capitals",
    );
  if (type === undefined)
    throw refuse(
      "the table takes columns from another one (LIKE), so that the type is not known",
      "add --type TYPE",
    );
  return { type, typeName: "", notNull: false, default: undefined, filled: false };
}

function refuseUnfit(
  tables: Tables,
  name: string,
  table: Table,
  old: string,
  column: Column,
  newName: string,
  refuse: Refuse,
): void {
  const byHandNext = "write the rename by hand: docs/reference/lint-rules.md, rename-column";
  if (table.columns.has(newName))
    throw refuse(`the table has a column ${newName} already`, "take another name");
  if (systemColumns.has(newName))
    throw refuse(`${newName} is a column that PostgreSQL itself has in every table`, "take another name");
  if (table.primaryKey.includes(old))
    throw refuse("the column is part of the primary key, which cannot have two columns for one", byHandNext);
  const foreignKey = [...table.foreignKeys].find(([, columns]) => columns.includes(old))?.[0];
  if (foreignKey !== undefined)
    throw refuse(`the column is part of the foreign key ${foreignKey}`, byHandNext);
  if (tables.referenced.has(`${name}.${old}`))
    throw refuse("the foreign key of another table points to the column", byHandNext);
  if (column.filled)
    throw refuse(
      "PostgreSQL fills the column itself (generated, identity, serial or from a sequence): a copy would not",
      byHandNext,
    );
  if (table.partitionKey?.includes(old) === true)
    throw refuse("the table is partitioned by the column, which then cannot be dropped", byHandNext);
  if (tables.ruledDomains.has(column.typeName))
    throw refuse(
      `its type ${column.type} is a domain with a rule of its own, for which PostgreSQL rewrites the table when the column is added`,
      byHandNext,
    );
}

const systemColumns = new Set(["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"]);

function byHand(
  tables: Tables,
  name: string,
  table: Table,
  column: Column,
  old: string,
  left: Index[],
): string[] {
  const lines = left.map(
    ({ name: index, unique }) =>
      `${unique ? "unique index" : "index"} ${identifier(index)} goes with the old column: build one for the new column concurrently, before contract`,
  );
  for (const { what, columns } of table.checks.values())
    if (columns.includes(old))
      lines.push(`${what}: goes with the old column, or stops its drop; decide before contract`);
  for (const mention of tables.mentionsOf(name, old))
    lines.push(`${mention} may name the old column: move it to the new one before contract`);
  if (column.typeName === "")
    lines.push(
      "NOT NULL, DEFAULT and indexes of the old column are not known from the files: take them over before contract",
    );
  if (column.default !== undefined && !column.notNull)
    lines.push(
      "until contract an INSERT of NULL under the new name stores the DEFAULT: the trigger cannot tell it from no value",
    );
  return lines;
}
