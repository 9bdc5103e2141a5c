import type { Constraint, RangeVar } from "libpg-query";
import { evaluate, passes, type Value } from "./check.js";
import {
  attributesOf,
  columnsOf,
  constraintName,
  constraintsOf,
  newColumn,
  refusesNoMore,
  type Attributes,
  type ColumnFacts,
} from "./facts.js";
import { quoted, quotedRelation, sameText } from "../sql/tree.js";
import { inTurn, migration, words, columnWithout } from "./recipe.js";
import type { Command, Statement } from "./rule.js";

export interface Added {
  at: number;
  each: Command;
  constraint: Constraint;
  /** The column that it comes with. */
  column: string | undefined;
  attributes: Attributes;
}

/** Constraints that an ALTER TABLE puts on a table that is in use, by themselves or with a new column. */
export function added({ commands, known }: Statement): Added[] {
  return commands.flatMap((each): Added[] => {
    const {
      at,
      command: { subtype, def },
      relation,
    } = each;
    if (def === undefined || known.isFreshRelation(relation)) return [];
    if (subtype === "AT_AddConstraint" && "Constraint" in def)
      return [
        {
          at,
          each,
          constraint: def.Constraint,
          column: undefined,
          attributes: attributesOf(def.Constraint),
        },
      ];
    if (subtype !== "AT_AddColumn" || !("ColumnDef" in def)) return [];
    const all = constraintsOf(def.ColumnDef.constraints);
    return all.map((constraint) => ({
      at: constraint.location ?? at,
      each,
      constraint,
      column: def.ColumnDef.colname ?? "",
      attributes: attributesOf(constraint, all),
    }));
  });
}

/** The columns that the file itself makes, in this statement or before it. */
function newColumns(
  { commands, known }: Statement,
  relation: RangeVar | undefined,
): Map<string, ColumnFacts> {
  const before = [...(known.table(relation)?.columns ?? [])].filter(([, { isFresh }]) => isFresh);
  const here = commands.flatMap(({ command: { subtype, def, missing_ok } }): [string, ColumnFacts][] =>
    subtype === "AT_AddColumn" && missing_ok !== true && def !== undefined && "ColumnDef" in def
      ? [[def.ColumnDef.colname ?? "", newColumn(def.ColumnDef, true)]]
      : [],
  );
  return new Map([...before, ...here]);
}

/**
 * What a row of the live version has in the new columns: what they began with, and what they have by default.
 */
function liveRows(columns: Map<string, ColumnFacts>): Map<string, Value>[] {
  const row = (pick: (column: ColumnFacts) => ColumnFacts["default"]) =>
    new Map(
      [...columns].map(([name, column]): [string, Value] => {
        const value = pick(column);
        return [
          name,
          column.isFilled ? undefined : value === undefined ? { is: "null" } : evaluate(value, new Map()),
        ];
      }),
    );
  return [row((column) => column.first), row((column) => column.default)];
}

/** Whether a constraint refuses nothing that the live version writes, for certain. */
export function letsLiveRowsPass(
  { constraint, each, column, attributes }: Added,
  statement: Statement,
): boolean {
  const { contype, raw_expr } = constraint;
  const { known } = statement;
  const { def } = each.command;
  // One that is there already, or was before this file.
  const table = known.table(each.relation);
  const checksBefore = [
    ...[...(table?.checks.values() ?? [])].map(({ expression }) => expression),
    ...(table?.dropped.checks ?? []),
  ];
  const referencesBefore = [...(table?.references.values() ?? []), ...(table?.dropped.references ?? [])];
  const fresh = newColumns(statement, each.relation);
  // With IF NOT EXISTS, too: PostgreSQL leaves out the constraint of a column that is there.
  if (column !== undefined && def !== undefined && "ColumnDef" in def)
    fresh.set(column, newColumn(def.ColumnDef, true));
  const rows = liveRows(fresh);
  if (contype === "CONSTR_CHECK")
    return checksBefore.some((one) => sameText(one, raw_expr)) || rows.every((row) => passes(raw_expr, row));
  const columns = columnsOf(constraint, column);
  if (contype === "CONSTR_FOREIGN") {
    const reference = known.reference(constraint, column, attributes);
    if (referencesBefore.some((one) => refusesNoMore(reference, one))) return true;
    const isNull = (name: string) => rows.every((row) => row.get(name)?.is === "null");
    return constraint.fk_matchtype === "f" ? columns.every(isNull) : columns.some(isNull);
  }
  return false;
}

export const isNotValidated = ({ skip_validation }: Constraint) => skip_validation === true;

/**
 * The constraint alone, by its name and without a scan of the rows there are; and then that scan, which holds
 * up nobody.
 */
export function notValidFirst(added: Added, statement: Statement): string {
  const { each, constraint, column } = added;
  const { source, phase, known } = statement;
  const { def } = each.command;
  const table = quotedRelation(each.relation);
  const name = quoted(constraintName(constraint, each.relation?.relname ?? "", column));
  const isPassed = letsLiveRowsPass(added, statement);
  const when = isPassed ? phase : "contract";
  const validate = migration(when, `ALTER TABLE ${table} VALIDATE CONSTRAINT ${name};`);
  const keyword =
    constraint.contype === "CONSTR_FOREIGN" ? (column === undefined ? "FOREIGN" : "REFERENCES") : "CHECK";
  const from = source.find(keyword, constraint.location ?? each.at)?.at ?? each.at;
  const isPartitioned =
    constraint.contype === "CONSTR_FOREIGN" && known.table(each.relation)?.isPartitioned === true;
  if (isPartitioned)
    return words(
      "before PostgreSQL 18, a partitioned table takes no foreign key NOT VALID: one on each partition, NOT VALID and then validated",
    );
  if (def === undefined || !("ColumnDef" in def))
    return inTurn(
      migration(when, `${each.head} ADD CONSTRAINT ${name} ${source.slice(from, each.end)} NOT VALID;`),
      validate,
    );
  const others = constraintsOf(def.ColumnDef.constraints).filter(
    ({ contype }) => contype?.startsWith("CONSTR_ATTR") !== true,
  );
  const after = others[others.indexOf(constraint) + 1]?.location ?? each.end;
  const add = `ADD CONSTRAINT ${name} ${keyword === "REFERENCES" ? `FOREIGN KEY (${quoted(column)}) ` : ""}${source.slice(from, after)} NOT VALID`;
  const bare = columnWithout(statement, each, def.ColumnDef, (one) => one === constraint);
  // In one statement, so that the column is seen to be new.
  return isPassed
    ? inTurn(migration(phase, `${bare}, ${add};`), validate)
    : inTurn(migration(phase, `${bare};`), migration("contract", `ALTER TABLE ${table} ${add};`), validate);
}
