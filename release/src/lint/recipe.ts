import type { ColumnDef, Constraint, RangeVar } from "libpg-query";
import { quoted, quotedRelation } from "../sql/tree.js";
import { constraintsOf } from "./facts.js";
import { beforeContract, type Phase, type Command, type Rule, type Statement } from "./rule.js";

interface Head {
  noTransaction?: boolean;
  /** TABLE by KEY */
  batch?: string;
  /** RULE: REASON */
  assure?: string;
}

/** A migration of its own, with what its header says. */
export function migration(
  phase: Phase,
  sql: string,
  { noTransaction = false, batch, assure }: Head = {},
): string {
  const lines = [
    `-- phase: ${phase}`,
    ...(noTransaction ? ["-- no-transaction"] : []),
    ...(batch === undefined ? [] : [`-- batch: ${batch}`]),
    ...(assure === undefined ? [] : [`-- assure ${assure}`]),
  ];
  return `${lines.join("\n")}\n${sql}`;
}

/** The same statement, later. */
export function inContract(sql: string): string {
  return migration("contract", `${sql};`);
}

/** What no other SQL does as well: said in words. */
export function words(...lines: string[]): string {
  return lines.map((line) => `-- ${line}`).join("\n");
}

/** Migrations one after the other. */
export function inTurn(...migrations: string[]): string {
  return migrations.join("\n\n");
}

/** A command of ALTER TABLE, on a table that is in use. */
export const alters = (
  name: string,
  reason: string,
  phases: readonly Phase[],
  example: string,
  isBad: (each: Command, statement: Statement) => boolean,
  recipe: (each: Command, statement: Statement) => string,
): Rule => ({
  name,
  reason,
  phases,
  example,
  find: (statement) =>
    statement.commands
      .filter((each) => isBad(each, statement) && !statement.known.isFreshRelation(each.relation))
      .map((each) => ({ at: each.at, recipe: recipe(each, statement) })),
});

/** A statement that is right when the live version is gone. */
export const later = (
  name: string,
  reason: string,
  example: string,
  isBad: (statement: Statement) => boolean,
): Rule => ({
  name,
  reason,
  phases: beforeContract,
  example,
  find: (statement) =>
    isBad(statement) ? [{ at: statement.start, recipe: inContract(statement.source.text) }] : [],
});

/** A command of ALTER TABLE that is. */
export const commandLater = (
  name: string,
  reason: string,
  example: string,
  isBad: (command: Command, statement: Statement) => boolean,
): Rule => ({
  name,
  reason,
  phases: beforeContract,
  example,
  find: (statement) =>
    statement.commands
      .filter((each) => !statement.known.isFreshRelation(each.relation) && isBad(each, statement))
      .map(({ at, sql }) => ({ at, recipe: inContract(sql) })),
});

/** NOT NULL without reading a row under a lock, in several migrations: a promise, its proof, and the column itself. */
export function notNullSteps(table: string, column: string): string[] {
  const check = quoted(`${column}_not_null`);
  return [
    migration(
      "contract",
      `ALTER TABLE ${table} ADD CONSTRAINT ${check} CHECK (${quoted(column)} IS NOT NULL) NOT VALID;`,
    ),
    migration("contract", `ALTER TABLE ${table} VALIDATE CONSTRAINT ${check};`),
    migration(
      "contract",
      `ALTER TABLE ${table} ALTER COLUMN ${quoted(column)} SET NOT NULL;\nALTER TABLE ${table} DROP CONSTRAINT ${check};`,
    ),
  ];
}

interface Unique {
  name: string;
  including?: string[];
  isNullsNotDistinct?: boolean;
  /** DEFERRABLE and the like. */
  attributes?: string;
  isPrimary?: boolean;
}

/** A unique index beside the writers, and then the constraint that takes it over. */
export function uniqueSteps(
  relation: RangeVar | undefined,
  columns: string[],
  { name, including = [], isNullsNotDistinct = false, attributes = "", isPrimary = false }: Unique,
): string[] {
  const table = quotedRelation(relation);
  const list = (names: string[]) => names.map((each) => quoted(each)).join(", ");
  const index = `CREATE UNIQUE INDEX CONCURRENTLY ${quoted(name)} ON ${table} (${list(columns)})${including.length > 0 ? ` INCLUDE (${list(including)})` : ""}${isNullsNotDistinct ? " NULLS NOT DISTINCT" : ""}`;
  return [
    migration("contract", `${index};`, { noTransaction: true }),
    migration(
      "contract",
      `ALTER TABLE ${table} ADD CONSTRAINT ${quoted(name)} ${isPrimary ? "PRIMARY KEY" : "UNIQUE"} USING INDEX ${quoted(name)}${attributes};`,
    ),
  ];
}

export function primaryKeySteps(
  { known }: Statement,
  relation: RangeVar | undefined,
  columns: string[],
  rest: Partial<Unique> = {},
): string[] {
  const open = columns.filter((column) => !known.isNeverNull(relation, column));
  return [
    ...open.flatMap((column) => notNullSteps(quotedRelation(relation), column)),
    ...uniqueSteps(relation, columns, { name: `${relation?.relname ?? ""}_pkey`, ...rest, isPrimary: true }),
  ];
}

/** A backfill in batches of the table's key, which the runner commits one by one. */
export function fill(
  { known }: Statement,
  relation: RangeVar | undefined,
  set: string,
  where: string,
): string {
  const key = (known.keysOf(relation)[0] ?? ["id"]).map((column) => quoted(column));
  const table = quotedRelation(relation);
  return migration("backfill", `UPDATE ${table} SET ${set} WHERE ${range(key)} AND ${where};`, {
    batch: `${table} by ${key.join(", ")}`,
  });
}

/** The rows of a batch. */
export function range(key: string[]): string {
  return `${key.length === 1 ? (key[0] ?? "") : `(${key.join(", ")})`} BETWEEN :first AND :last`;
}

/** ADD COLUMN as it is written, without some of its constraints. */
export function columnWithout(
  { source }: Statement,
  { head, at, end }: Command,
  column: ColumnDef,
  isOut: (constraint: Constraint) => boolean,
): string {
  const constraints = constraintsOf(column.constraints);
  const places = constraints.map(({ location }) => location ?? end);
  let text = `${head} ${source.slice(at, places[0] ?? end)}`;
  let isLeftOut = false;
  constraints.forEach((constraint, index) => {
    // DEFERRABLE and the like stand by themselves, after what they belong to.
    if (constraint.contype?.startsWith("CONSTR_ATTR") !== true) isLeftOut = isOut(constraint);
    if (!isLeftOut) text += ` ${source.slice(places[index] ?? end, places[index + 1] ?? end)}`;
  });
  return text;
}

/** Whether the file itself makes the column, in this statement or one before. */
export function isNewColumn(
  { commands, known }: Statement,
  { relation }: Command,
  column: string | undefined,
): boolean {
  if (known.isFreshColumn(relation, column)) return true;
  return commands.some(
    ({ command: { subtype, def, missing_ok } }) =>
      subtype === "AT_AddColumn" &&
      missing_ok !== true &&
      def !== undefined &&
      "ColumnDef" in def &&
      def.ColumnDef.colname === column,
  );
}
