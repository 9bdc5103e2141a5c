import type { ColumnDef, Constraint, Node, TypeName } from "libpg-query";
import { isSteadyFunction, steadyOperators } from "../check.js";
import { constraintOf, constraintsOf, isFilled, isNullConstant, isSerial } from "../facts.js";
import type { Known } from "../known.js";
import { isType, quoted, quotedRelation, strings, nodesOf } from "../../sql/tree.js";
import {
  inTurn,
  migration,
  words,
  columnWithout,
  fill,
  notNullSteps,
  primaryKeySteps,
  alters,
} from "../recipe.js";
import { allPhases, type Command, type Rule, type Statement } from "../rule.js";

interface Added {
  each: Command;
  column: ColumnDef;
}

const added = ({ commands, known }: Statement): Added[] =>
  commands.flatMap((each) => {
    const { subtype, def } = each.command;
    if (
      subtype !== "AT_AddColumn" ||
      each.of === "OBJECT_TYPE" ||
      def === undefined ||
      !("ColumnDef" in def) ||
      known.isFreshRelation(each.relation)
    )
      return [];
    return [{ each, column: def.ColumnDef }];
  });

/** NULL is what a column has without a default. */
function hasDefault(column: ColumnDef): boolean {
  if (isFilled(column)) return true;
  const expression = constraintOf(column, "CONSTR_DEFAULT")?.raw_expr;
  return expression !== undefined && !isNullConstant(expression);
}

const adds = (
  name: string,
  reason: string,
  example: string,
  isBad: (column: ColumnDef, known: Known) => boolean,
  recipe: (statement: Statement, added: Added) => string,
): Rule => ({
  name,
  reason,
  phases: allPhases,
  example,
  find: (statement) =>
    added(statement)
      .filter(({ column }) => isBad(column, statement.known))
      .map((each) => ({ at: each.each.at, recipe: recipe(statement, each) })),
});

/**
 * A function of the migrations' own counts as what it says of itself, one of nobody knows whom as VOLATILE.
 */
function isVolatile(expression: Node | undefined, known: Known): boolean {
  const isCalled = nodesOf(expression, "FuncCall").some((call) => {
    const name = strings(call.funcname);
    // Another overload of the name may be the one that is called.
    const own = known.isVolatile(name);
    return isSteadyFunction(call) ? own === true : own !== false;
  });
  return (
    isCalled ||
    nodesOf(expression, "A_Expr").some(({ kind = "", name }) => {
      if (!kind.startsWith("AEXPR_OP")) return false;
      const operator = strings(name);
      return (
        operator.length !== 1 ||
        !steadyOperators.has(operator[0] ?? "") ||
        known.isOwnOperator(operator[0] ?? "")
      );
    })
  );
}

const isNotNull = ({ contype }: Constraint) => contype === "CONSTR_NOTNULL";
const isPrimary = ({ contype }: Constraint) => contype === "CONSTR_PRIMARY";

/** After a column has been filled: NOT NULL, where it was asked for. */
function proved({ relation }: Command, column: ColumnDef, ...before: string[]): string {
  const table = quotedRelation(relation);
  return inTurn(
    ...before,
    ...(constraintOf(column, "CONSTR_NOTNULL", "CONSTR_PRIMARY", "CONSTR_IDENTITY") === undefined &&
    !isSerial(column)
      ? []
      : notNullSteps(table, column.colname ?? "")),
  );
}

export const newColumnRules: Rule[] = [
  adds(
    "add-not-null-column",
    "the live version's INSERTs do not name the column and fail; so does the statement itself where there are rows",
    "ALTER TABLE orders ADD COLUMN remark text NOT NULL;",
    (column) => constraintOf(column, "CONSTR_NOTNULL", "CONSTR_PRIMARY") !== undefined && !hasDefault(column),
    (statement, { each, column }) => {
      const nullable = migration(
        statement.phase,
        `${columnWithout(statement, each, column, (constraint) => isNotNull(constraint) || isPrimary(constraint) || isNullDefault(constraint))};`,
      );
      const steps =
        constraintOf(column, "CONSTR_PRIMARY") === undefined
          ? notNullSteps(quotedRelation(each.relation), column.colname ?? "")
          : primaryKeySteps(statement, each.relation, [column.colname ?? ""]);
      return inTurn(
        nullable,
        words(
          "the new version fills it, and a backfill the old rows; or give it a constant DEFAULT, which no row is rewritten for",
        ),
        ...steps,
      );
    },
  ),
  adds(
    "volatile-default",
    "a default that differs from row to row rewrites the whole table under a lock that blocks reads too",
    "ALTER TABLE orders ADD COLUMN token uuid DEFAULT gen_random_uuid();",
    (column, known) => isVolatile(constraintOf(column, "CONSTR_DEFAULT")?.raw_expr, known),
    (statement, { each, column }) => {
      const table = quotedRelation(each.relation);
      const name = quoted(column.colname);
      const given = constraintOf(column, "CONSTR_DEFAULT");
      const places = constraintsOf(column.constraints).flatMap(({ location }) =>
        location === undefined ? [] : [location],
      );
      const value = statement.source.from(statement.source.after("DEFAULT", given?.location ?? 0), places);
      const without = columnWithout(
        statement,
        each,
        column,
        (constraint) => constraint.contype === "CONSTR_DEFAULT" || isNotNull(constraint),
      );
      return proved(
        each,
        column,
        migration(
          statement.phase,
          `${without};\nALTER TABLE ${table} ALTER COLUMN ${name} SET DEFAULT ${value};`,
        ),
        fill(statement, each.relation, `${name} = DEFAULT`, `${name} IS NULL`),
      );
    },
  ),
  adds(
    "stored-generated-column",
    "a stored generated column rewrites the whole table under a lock that blocks reads too",
    "ALTER TABLE orders ADD COLUMN gross numeric GENERATED ALWAYS AS (total * 1.19) STORED;",
    (column) => constraintOf(column, "CONSTR_GENERATED")?.generated_kind === "s",
    (statement, { each, column }) => {
      const table = quotedRelation(each.relation);
      const name = quoted(column.colname);
      const { source } = statement;
      const value = source.from(
        source.find("(", constraintOf(column, "CONSTR_GENERATED")?.location ?? 0)?.at ?? 0,
        [],
        "STORED",
      );
      const filler = quoted(`${each.relation?.relname ?? ""}_${column.colname ?? ""}_fill`);
      return inTurn(
        migration(
          statement.phase,
          `${columnWithout(statement, each, column, ({ contype }) => contype === "CONSTR_GENERATED")};
CREATE FUNCTION ${filler}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.${name} := (SELECT ${value} FROM (SELECT (NEW).*) AS this);
  RETURN NEW;
END $$;
CREATE TRIGGER ${filler} BEFORE INSERT OR UPDATE ON ${table} FOR EACH ROW EXECUTE FUNCTION ${filler}();`,
        ),
        fill(statement, each.relation, `${name} = ${value}`, `${name} IS NULL`),
      );
    },
  ),
  alters(
    "change-generated-column",
    "the column is recomputed for every row, under a lock that blocks reads too",
    allPhases,
    "ALTER TABLE orders ALTER COLUMN gross SET EXPRESSION AS (total * 1.2);",
    ({ command }) => command.subtype === "AT_SetExpression",
    () =>
      words(
        "expand: a second column, filled by a trigger and a backfill",
        "contract: DROP COLUMN of this one",
      ),
  ),
  adds(
    "serial-column",
    "a serial or identity column numbers the rows there are: the whole table is rewritten under a lock that blocks reads too",
    "ALTER TABLE orders ADD COLUMN line bigserial;",
    (column) => isSerial(column) || constraintOf(column, "CONSTR_IDENTITY") !== undefined,
    (statement, { each, column }) => {
      const table = quotedRelation(each.relation);
      const name = quoted(column.colname);
      const integer = isType(column.typeName, "serial", "serial4", "int4")
        ? "integer"
        : isType(column.typeName, "smallserial", "serial2", "int2")
          ? "smallint"
          : "bigint";
      const sequence = quoted(
        each.relation?.schemaname,
        `${each.relation?.relname ?? ""}_${column.colname ?? ""}_seq`,
      );
      return proved(
        each,
        column,
        migration(
          statement.phase,
          `${each.head} ADD COLUMN ${name} ${integer};
CREATE SEQUENCE ${sequence} AS ${integer} OWNED BY ${table}.${name};
ALTER TABLE ${table} ALTER COLUMN ${name} SET DEFAULT nextval('${sequence.replaceAll("'", "''")}');`,
        ),
        fill(statement, each.relation, `${name} = DEFAULT`, `${name} IS NULL`),
      );
    },
  ),
  adds(
    "domain-column",
    "a column of a domain with a rule of its own rewrites the whole table under a lock that blocks reads too, to test the rule",
    "CREATE DOMAIN percent AS int CHECK (VALUE BETWEEN 0 AND 100);\nALTER TABLE orders ADD COLUMN discount percent;",
    ({ typeName }, known) => isRuled(typeName, known),
    (statement, { each, column }) => {
      const domain = statement.known.domain(column.typeName);
      const name = quoted(column.colname);
      const { typeName } = column;
      const places = constraintsOf(column.constraints).flatMap(({ location }) =>
        location === undefined ? [] : [location],
      );
      const rest = places[0] === undefined ? "" : ` ${statement.source.slice(places[0], each.end)}`;
      const checks = [...(domain?.checks.values() ?? [])].map((text, index) => ({
        constraint: quoted(
          `${each.relation?.relname ?? ""}_${column.colname ?? ""}_${typeTextOf(typeName)}${index === 0 ? "" : String(index + 1)}`,
        ),
        text: text.replace(/\bvalue\b/gi, name),
      }));
      const table = quotedRelation(each.relation);
      return inTurn(
        migration(statement.phase, `${each.head} ADD COLUMN ${name} ${domain?.typeText ?? ""}${rest};`),
        ...checks.map(({ constraint, text }) =>
          migration("contract", `ALTER TABLE ${table} ADD CONSTRAINT ${constraint} CHECK ${text} NOT VALID;`),
        ),
        ...checks.map(({ constraint }) =>
          migration("contract", `ALTER TABLE ${table} VALIDATE CONSTRAINT ${constraint};`),
        ),
        ...(domain?.isNotNull === true ? notNullSteps(table, column.colname ?? "") : []),
      );
    },
  ),
];

function isNullDefault({ contype, raw_expr }: Constraint): boolean {
  return contype === "CONSTR_DEFAULT" && isNullConstant(raw_expr);
}

function isRuled(type: TypeName | undefined, known: Known): boolean {
  for (
    let domain = known.domain(type), depth = 0;
    domain !== undefined && depth < 50;
    domain = known.domain(domain.type), depth++
  )
    if (domain.isNotNull || domain.checks.size > 0) return true;
  return false;
}

function typeTextOf(type: TypeName | undefined): string {
  return strings(type?.names).at(-1) ?? "";
}
