import type { Constraint, RangeVar } from "libpg-query";
import { notNullColumn } from "../known.js";
import { quoted, quotedRelation, strings } from "../names.js";
import { allPhases, beforeContract, type Match, type Rule, type Statement, type Subject } from "../rule.js";
import { nodesOf } from "../tree.js";

interface Added {
  at: number;
  relation: RangeVar | undefined;
  constraint: Constraint;
  /** The column that it comes with. */
  column: { name: string; hasDefault: boolean } | undefined;
}

/** Constraints that an ALTER TABLE puts on a table that is in use, by themselves or with a new column. */
function added({ commands, known }: Statement): Added[] {
  return commands.flatMap(({ at, command: { subtype, def }, relation }): Added[] => {
    if (def === undefined || known.isFreshRelation(relation)) return [];
    if (subtype === "AT_AddConstraint" && "Constraint" in def) return [{ at, relation, constraint: def.Constraint, column: undefined }];
    if (subtype !== "AT_AddColumn" || !("ColumnDef" in def)) return [];
    const constraints = (def.ColumnDef.constraints ?? []).flatMap((node) => ("Constraint" in node ? [node.Constraint] : []));
    const column = { name: def.ColumnDef.colname ?? "", hasDefault: constraints.some(({ contype }) => contype === "CONSTR_DEFAULT" || contype === "CONSTR_GENERATED") };
    return constraints.map((constraint) => ({ at: constraint.location ?? at, relation, constraint, column }));
  });
}

const columnsOf = ({ constraint, column }: Added): string[] =>
  column !== undefined
    ? [column.name]
    : constraint.contype === "CONSTR_CHECK"
      ? [...new Set(nodesOf(constraint.raw_expr, "ColumnRef").map(({ fields }) => strings(fields).at(-1) ?? ""))]
      : [...strings(constraint.fk_attrs), ...strings(constraint.keys)];

const matchOf =
  (suffix: string) =>
  (each: Added): Match => {
    const columns = columnsOf(each);
    return {
      at: each.at,
      subject: {
        table: quotedRelation(each.relation),
        column: columns.map((column) => quoted(column)).join(", "),
        name: quoted(each.constraint.conname ?? [each.relation?.relname, ...columns, suffix].join("_")),
        other: quotedRelation(each.constraint.pktable),
      },
    };
  };

const notValidFirst = (what: (subject: Subject) => string) => (subject: Subject) => `ALTER TABLE ${subject.table} ADD CONSTRAINT ${subject.name} ${what(subject)} NOT VALID;
-- in the next migration, so in another transaction
ALTER TABLE ${subject.table} VALIDATE CONSTRAINT ${subject.name};`;

export const constraintRules: Rule[] = [
  {
    name: "validated-foreign-key",
    reason: "every row is looked up in the other table while both are locked against writes",
    phases: allPhases,
    recipe: notValidFirst(({ column, other }) => `FOREIGN KEY (${column}) REFERENCES ${other}`),
    // A new column without a default is NULL everywhere: PostgreSQL itself skips the look-up.
    find: (statement) =>
      added(statement)
        .filter(({ constraint, column }) => constraint.contype === "CONSTR_FOREIGN" && constraint.skip_validation !== true && column?.hasDefault !== false)
        .map(matchOf("fkey")),
  },
  {
    name: "validated-check",
    reason: "every row is read under a lock that stops reads as well",
    phases: allPhases,
    recipe: notValidFirst(() => "CHECK (…)"),
    find: (statement) =>
      added(statement)
        .filter(({ constraint }) => constraint.contype === "CONSTR_CHECK" && constraint.skip_validation !== true)
        .map(matchOf("check")),
  },
  {
    name: "check-before-contract",
    reason: "NOT VALID or not, the constraint refuses the live version's writes from this moment on",
    phases: beforeContract,
    recipe: ({ table, name }) => `-- in a migration with "-- phase: contract": the version left by then keeps to it
ALTER TABLE ${table} ADD CONSTRAINT ${name} … NOT VALID;`,
    find: (statement) =>
      added(statement)
        .filter(({ constraint: { contype, is_enforced, skip_validation } }) => (contype === "CONSTR_CHECK" && is_enforced === true) || (contype === "CONSTR_NOTNULL" && skip_validation === true))
        // The live version leaves a new column alone: NULL passes every CHECK but this one.
        .filter((each) => notNullColumn(each.constraint) !== undefined || each.constraint.contype === "CONSTR_NOTNULL" || !isOfNewColumns(each, statement))
        .map(matchOf("check")),
  },
  {
    name: "unique-constraint",
    reason: "its index is built under a lock that stops reads as well",
    phases: allPhases,
    recipe: ({ table, column, name }) => `-- a migration with "-- no-transaction"
CREATE UNIQUE INDEX CONCURRENTLY ${name} ON ${table} (${column});
-- in the next migration
ALTER TABLE ${table} ADD CONSTRAINT ${name} UNIQUE USING INDEX ${name}; -- or PRIMARY KEY USING INDEX`,
    find: (statement) =>
      added(statement)
        .filter(({ constraint: { contype, indexname } }) => (contype === "CONSTR_UNIQUE" || contype === "CONSTR_PRIMARY") && indexname === undefined)
        .map(matchOf("key")),
  },
  {
    name: "exclusion-constraint",
    reason: "its index is built under a lock that stops reads as well, and there is no concurrent way",
    phases: allPhases,
    recipe: ({ table }) => `CREATE TABLE … (LIKE ${table} INCLUDING ALL, EXCLUDE …); -- a new table, filled by trigger and backfill`,
    find: (statement) =>
      added(statement)
        .filter(({ constraint }) => constraint.contype === "CONSTR_EXCLUSION")
        .map(matchOf("excl")),
  },
  {
    name: "validate-in-same-transaction",
    reason: "the lock of the ALTER TABLE before it is held until all rows are read",
    phases: allPhases,
    recipe: ({ table, name }) => `-- in the next migration, so in another transaction
ALTER TABLE ${table} VALIDATE CONSTRAINT ${name};`,
    find: ({ commands, known, inTransaction }) =>
      commands
        .filter(({ command, relation }) => command.subtype === "AT_ValidateConstraint" && inTransaction && !known.isFreshRelation(relation))
        .filter(({ relation }) => known.isAltered(relation) || commands.some(({ command }) => command.subtype !== "AT_ValidateConstraint"))
        .map(({ at, command, relation }) => ({ at, subject: { table: quotedRelation(relation), name: quoted(command.name) } })),
  },
];

function isOfNewColumns(each: Added, { commands, known }: Statement): boolean {
  const here = new Set(commands.flatMap(({ command: { subtype, def } }) => (subtype === "AT_AddColumn" && def !== undefined && "ColumnDef" in def ? [def.ColumnDef.colname] : [])));
  return columnsOf(each).every((column) => here.has(column) || known.isFreshColumn(each.relation, column));
}
