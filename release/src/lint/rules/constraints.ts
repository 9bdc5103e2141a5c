import type { Constraint } from "libpg-query";
import { columnsOf, constraintName, constraintOf, isSerial } from "../facts.js";
import { quotedRelation, strings } from "../../sql/tree.js";
import {
  inContract,
  inTurn,
  migration,
  words,
  columnWithout,
  notNullSteps,
  primaryKeySteps,
  uniqueSteps,
} from "../recipe.js";
import { allPhases, beforeContract, type Command, type Rule, type Statement } from "../rule.js";
import { added, isNotValidated, letsLiveRowsPass, notValidFirst, type Added } from "../addedConstraints.js";

/** NOT VALID as it is, later; otherwise step by step, later. */
const later = (each: Added, statement: Statement) =>
  isNotValidated(each.constraint) ? inContract(each.each.sql) : notValidFirst(each, statement);

const adds = (
  name: string,
  reason: string,
  phases: Rule["phases"],
  example: string,
  isBad: (added: Added, statement: Statement) => boolean,
  recipe: (added: Added, statement: Statement) => string,
): Rule => ({
  name,
  reason,
  phases,
  example,
  find: (statement) =>
    added(statement)
      .filter((each) => isBad(each, statement))
      .map((each) => ({ at: each.at, recipe: recipe(each, statement) })),
});

export const constraintRules: Rule[] = [
  adds(
    "validated-foreign-key",
    "every row is looked up in the other table while both are locked against writes",
    allPhases,
    "ALTER TABLE orders ADD CONSTRAINT orders_buyer_fkey FOREIGN KEY (customer) REFERENCES customers (id);",
    // A new column without a default is NULL everywhere: PostgreSQL itself skips the look-up.
    ({ constraint, column, each, attributes }) =>
      constraint.contype === "CONSTR_FOREIGN" &&
      !isNotValidated(constraint) &&
      attributes.isEnforced &&
      (column === undefined || hasValues(each)),
    notValidFirst,
  ),
  adds(
    "foreign-key-before-contract",
    "NOT VALID or not, it refuses the live version's rows without a counterpart from then on",
    beforeContract,
    "ALTER TABLE orders ADD CONSTRAINT orders_buyer_fkey FOREIGN KEY (customer) REFERENCES customers (id) NOT VALID;",
    (each, statement) =>
      each.constraint.contype === "CONSTR_FOREIGN" &&
      each.attributes.isEnforced &&
      !letsLiveRowsPass(each, statement),
    later,
  ),
  adds(
    "validated-check",
    "every row is read under a lock that blocks reads too",
    allPhases,
    "ALTER TABLE orders ADD CONSTRAINT orders_placed_check CHECK (placed > '2000-01-01');",
    ({ constraint, attributes }) =>
      constraint.contype === "CONSTR_CHECK" && !isNotValidated(constraint) && attributes.isEnforced,
    notValidFirst,
  ),
  adds(
    "check-before-contract",
    "NOT VALID or not, the constraint refuses the live version's writes from then on",
    beforeContract,
    "ALTER TABLE orders ADD CONSTRAINT orders_placed_check CHECK (placed > '2000-01-01') NOT VALID;",
    (each, statement) => {
      const { contype } = each.constraint;
      // The live version leaves a new column alone: what counts is whether its NULL or default passes.
      return contype === "CONSTR_NOTNULL"
        ? each.column === undefined && isNotValidated(each.constraint)
        : contype === "CONSTR_CHECK" && each.attributes.isEnforced && !letsLiveRowsPass(each, statement);
    },
    later,
  ),
  adds(
    "unique-constraint",
    "its index is built under a lock that blocks reads too",
    allPhases,
    "ALTER TABLE orders ADD CONSTRAINT orders_customer_number_key UNIQUE (customer, number);",
    ({ constraint: { contype, indexname } }) =>
      (contype === "CONSTR_UNIQUE" || contype === "CONSTR_PRIMARY") && indexname === undefined,
    (each, statement) => {
      const { constraint, column } = each;
      const { relation, command } = each.each;
      const columns = columnsOf(constraint, column);
      const name = constraintName(constraint, relation?.relname ?? "", column);
      const attributes = `${constraint.deferrable === true ? " DEFERRABLE" : ""}${constraint.initdeferred === true ? " INITIALLY DEFERRED" : ""}`;
      const unique = {
        name,
        including: strings(constraint.including),
        isNullsNotDistinct: constraint.nulls_not_distinct === true,
        attributes,
      };
      const steps =
        constraint.contype === "CONSTR_PRIMARY"
          ? primaryKeySteps(statement, relation, columns, unique)
          : uniqueSteps(relation, columns, unique);
      if (column === undefined || command.def === undefined || !("ColumnDef" in command.def))
        return inTurn(...steps);
      const isOut = (one: Constraint) =>
        one === constraint || (constraint.contype === "CONSTR_PRIMARY" && one.contype === "CONSTR_NOTNULL");
      return inTurn(
        migration(statement.phase, `${columnWithout(statement, each.each, command.def.ColumnDef, isOut)};`),
        ...steps,
      );
    },
  ),
  adds(
    "primary-key-using-index",
    "the columns become NOT NULL: where nothing has proved that they are, all rows are read under a lock that blocks reads too",
    allPhases,
    "ALTER TABLE bookings ADD CONSTRAINT bookings_pkey PRIMARY KEY USING INDEX bookings_room_idx;",
    ({ constraint: { contype, indexname }, each: { relation } }, { known }) => {
      if (contype !== "CONSTR_PRIMARY" || indexname === undefined) return false;
      const columns = known.index(known.scope.inSchemaOf(relation, indexname))?.columns;
      return columns === undefined || columns.some((column) => !known.isNeverNull(relation, column));
    },
    ({ constraint: { indexname = "" }, each: { relation, sql } }, { known }) => {
      const columns = known.index(known.scope.inSchemaOf(relation, indexname))?.columns;
      if (columns === undefined)
        return words(
          "for each column of the index that may be NULL: ADD CONSTRAINT … CHECK (column IS NOT NULL) NOT VALID, VALIDATE CONSTRAINT, SET NOT NULL",
          `then ${sql}`,
        );
      return inTurn(
        ...columns
          .filter((column) => !known.isNeverNull(relation, column))
          .flatMap((column) => notNullSteps(quotedRelation(relation), column)),
        inContract(sql),
      );
    },
  ),
  adds(
    "exclusion-constraint",
    "its index is built under a lock that blocks reads too, and cannot be built concurrently",
    allPhases,
    "ALTER TABLE bookings ADD CONSTRAINT bookings_room_excl EXCLUDE USING gist (during WITH &&);",
    ({ constraint }) => constraint.contype === "CONSTR_EXCLUSION",
    ({ each }) =>
      words(
        `a new table with the constraint in its CREATE TABLE, filled from ${quotedRelation(each.relation)} by a trigger and a backfill`,
      ),
  ),
  {
    name: "alter-constraint",
    reason: "what the live version may defer, or what it may rely on, changes from then on",
    phases: beforeContract,
    example: "ALTER TABLE orders ALTER CONSTRAINT orders_payer_fkey DEFERRABLE;",
    find: ({ commands, known }) =>
      commands
        .filter(
          ({ command: { subtype, def }, relation }) =>
            subtype === "AT_AlterConstraint" && !enforces(def) && !known.isFreshRelation(relation),
        )
        .map(({ at, sql }) => ({ at, recipe: inContract(sql) })),
  },
  {
    name: "enforce-constraint",
    reason:
      "every row is checked under a lock that blocks reads too, and the live version's writes are refused from then on",
    phases: allPhases,
    example: "ALTER TABLE orders ALTER CONSTRAINT orders_payer_fkey ENFORCED;",
    find: ({ commands, known }) =>
      commands
        .filter(
          ({ command: { subtype, def }, relation }) =>
            subtype === "AT_AlterConstraint" && enforces(def) && !known.isFreshRelation(relation),
        )
        .map(({ at }) => ({
          at,
          recipe: words(
            "contract: a second constraint, NOT VALID",
            "contract: VALIDATE CONSTRAINT, and then DROP CONSTRAINT of the one that is not enforced",
          ),
        })),
  },
  {
    name: "validate-in-same-transaction",
    reason: "the lock of a statement before it is held until all rows are read",
    phases: allPhases,
    example:
      "ALTER TABLE orders ADD COLUMN remark text;\nALTER TABLE orders VALIDATE CONSTRAINT orders_total_check;",
    find: ({ commands, known, inTransaction, phase }) =>
      commands
        .filter(
          ({ command, relation }) =>
            command.subtype === "AT_ValidateConstraint" && inTransaction && !known.isFreshRelation(relation),
        )
        .filter(
          () =>
            known.held.size > 0 ||
            commands.some(({ command }) => command.subtype !== "AT_ValidateConstraint"),
        )
        .map(({ at, sql }) => ({ at, recipe: migration(phase, `${sql};`) })),
  },
];

/** Whether the rows of a new column have a value. */
function hasValues({ command: { def } }: Command): boolean {
  return (
    def !== undefined &&
    "ColumnDef" in def &&
    (constraintOf(def.ColumnDef, "CONSTR_DEFAULT", "CONSTR_GENERATED") !== undefined ||
      isSerial(def.ColumnDef))
  );
}

function enforces(definition: Command["command"]["def"]): boolean {
  return (
    definition !== undefined &&
    "ATAlterConstraint" in definition &&
    definition.ATAlterConstraint.alterEnforceability === true &&
    definition.ATAlterConstraint.is_enforced === true
  );
}
