import type { ColumnDef, Constraint, Node, RangeVar, TypeName } from "libpg-query";
import { isSteadyFunction, steadyOperators } from "../check.js";
import { columnsIn, constraintOf, constraintsOf, isFilled, isNullConstant, isSerial } from "../facts.js";
import type { Known } from "../known.js";
import { isType, quoted, quotedRelation, strings, typeText } from "../../sql/names.js";
import { inContract, inTurn, migration, words } from "../recipe.js";
import { allPhases, beforeContract, type Command, type Phase, type Rule, type Statement } from "../rule.js";
import { columnWithout, fill, isNewColumn, notNullSteps, primaryKeySteps } from "../steps.js";
import { nodesOf } from "../../sql/tree.js";

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

const alters = (
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

const later = ({ sql }: Command) => inContract(sql);

function columnOf({ name, def }: Command["command"]): string | undefined {
  return name ?? (def !== undefined && "Constraint" in def ? strings(def.Constraint.keys)[0] : undefined);
}

/** ADD CONSTRAINT … NOT NULL column, without NOT VALID: SET NOT NULL by another name. */
function addsNotNull({ subtype, def }: Command["command"]): boolean {
  return (
    subtype === "AT_AddConstraint" &&
    def !== undefined &&
    "Constraint" in def &&
    def.Constraint.contype === "CONSTR_NOTNULL" &&
    def.Constraint.skip_validation !== true
  );
}

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

/**
 * Types whose modifier is a length or a precision: with a larger one, or none, every value stays as it is.
 */
const lengths = new Set(["varchar", "varbit", "timestamp", "timestamptz", "time", "timetz", "interval"]);

/** An interval of all fields, in its modifier. */
const allFields = 0x7fff;

/** The column itself, cast to its new type or not. */
function isItself(using: Node | undefined, column: string, type: TypeName | undefined): boolean {
  if (using === undefined) return true;
  if ("TypeCast" in using)
    return typeText(using.TypeCast.typeName) === typeText(type) && isItself(using.TypeCast.arg, column, type);
  return "ColumnRef" in using && strings(using.ColumnRef.fields).at(-1) === column;
}

/** Whether PostgreSQL reads the rows or builds an index again, although the new type takes every value. */
function isRead(relation: RangeVar | undefined, column: string, known: Known): boolean {
  const isChecked = [...(known.table(relation)?.checks.values() ?? [])].some(
    ({ expression, isValidated }) => isValidated && columnsIn(expression).includes(column),
  );
  return isChecked || known.bindsIndex(relation, column) || known.isShown(relation, column);
}

/** Types that rows of the old one already keep to: PostgreSQL looks at none of them. */
function isWider(from: TypeName | undefined, to: TypeName | undefined): boolean {
  const [old, wanted] = [strings(from?.names).at(-1), strings(to?.names).at(-1)];
  if (
    from === undefined ||
    to === undefined ||
    old === undefined ||
    wanted === undefined ||
    (from.arrayBounds ?? []).length + (to.arrayBounds ?? []).length > 0
  )
    return false;
  const [before, after] = [modifiers(from), modifiers(to)];
  if (wanted === "text") return old === "varchar" || old === "text";
  if (old === "text") return wanted === "varchar" && after.length === 0;
  if (wanted === "inet" && old === "cidr") return true;
  if (old !== wanted) return false;
  // DAY TO SECOND and the like leave parts out.
  if (
    wanted === "interval" &&
    [before, after].some(([fields]) => fields !== undefined && fields !== allFields)
  )
    return false;
  if (lengths.has(wanted))
    return after.length === 0 || (before.length > 0 && (after.at(-1) ?? 0) >= (before.at(-1) ?? 0));
  if (wanted === "numeric")
    return (
      after.length === 0 ||
      (before.length > 0 && (after[0] ?? 0) >= (before[0] ?? 0) && (after[1] ?? 0) === (before[1] ?? 0))
    );
  return (
    before.length === 0 &&
    after.length === 0 &&
    ["int2", "int4", "int8", "float4", "float8", "bool", "date", "jsonb", "uuid", "bytea"].includes(wanted)
  );
}

function modifiers({ typmods = [] }: TypeName): number[] {
  return typmods.flatMap((node) => ("A_Const" in node ? [node.A_Const.ival?.ival ?? 0] : []));
}

export const columnRules: Rule[] = [
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
  {
    name: "set-not-null",
    reason:
      "the live version's writes of NULL fail at once; without a validated CHECK all rows are read under a lock that blocks reads too",
    phases: allPhases,
    example: "ALTER TABLE orders ALTER COLUMN note SET NOT NULL;",
    find: (statement) => {
      // Whatever the order in the statement, PostgreSQL drops before it looks for a proof.
      const dropped = statement.commands.flatMap(({ command }) =>
        command.subtype === "AT_DropConstraint" ? [command.name] : [],
      );
      return statement.commands
        .filter(
          ({ command, relation }) =>
            (command.subtype === "AT_SetNotNull" || addsNotNull(command)) &&
            !statement.known.isFreshRelation(relation),
        )
        .filter(
          ({ command, relation }) =>
            statement.phase !== "contract" ||
            !statement.known.isNeverNull(relation, columnOf(command), dropped),
        )
        .map(({ at, command, relation }) => ({
          at,
          recipe: inTurn(...notNullSteps(quotedRelation(relation), columnOf(command) ?? "")),
        }));
    },
  },
  alters(
    "drop-not-null",
    "a version that never met NULL in the column meets it",
    beforeContract,
    "ALTER TABLE orders ALTER COLUMN customer DROP NOT NULL;",
    (each, statement) =>
      each.command.subtype === "AT_DropNotNull" && !isNewColumn(statement, each, each.command.name),
    later,
  ),
  alters(
    "change-type",
    "the whole table is rewritten under a lock that blocks reads too, and the live version expects the old type",
    allPhases,
    "ALTER TABLE orders ALTER COLUMN placed TYPE timestamptz;",
    ({ command: { subtype, name, def }, relation }, { known }) => {
      if (
        subtype !== "AT_AlterColumnType" ||
        def === undefined ||
        !("ColumnDef" in def) ||
        known.isFreshColumn(relation, name)
      )
        return false;
      return (
        !isItself(def.ColumnDef.raw_default, name ?? "", def.ColumnDef.typeName) ||
        isRead(relation, name ?? "", known) ||
        def.ColumnDef.collClause !== undefined ||
        !isWider(known.column(relation, name)?.type, def.ColumnDef.typeName)
      );
    },
    (each, statement) => {
      const { relation, command, of } = each;
      if (of === "OBJECT_TYPE")
        return words(
          "expand: a second type, and a new column of it beside each one of the old",
          `contract: ${each.sql}`,
        );
      const table = quotedRelation(relation);
      const definition =
        command.def !== undefined && "ColumnDef" in command.def ? command.def.ColumnDef : undefined;
      const type = statement.source.from(definition?.typeName?.location ?? 0, [], "USING");
      const using = statement.source.find("USING", definition?.typeName?.location ?? each.end);
      const converted =
        using === undefined || using.at > each.end
          ? `${quoted(command.name)}::${type}`
          : statement.source.slice(using.end, each.end);
      const [old, next, copy] = [
        quoted(command.name),
        quoted(`${command.name ?? ""}_new`),
        quoted(`${relation?.relname ?? ""}_${command.name ?? ""}_copy`),
      ];
      return inTurn(
        migration(
          "expand",
          `ALTER TABLE ${table} ADD COLUMN ${next} ${type};
CREATE FUNCTION ${copy}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' AND NEW.${next} IS NULL OR TG_OP = 'UPDATE' AND NEW.${old} IS DISTINCT FROM OLD.${old} THEN
    NEW.${next} := NEW.${old};
  ELSE
    NEW.${old} := NEW.${next};
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER ${copy} BEFORE INSERT OR UPDATE ON ${table} FOR EACH ROW EXECUTE FUNCTION ${copy}();`,
        ),
        fill(statement, relation, `${next} = ${converted}`, `${next} IS NULL AND ${old} IS NOT NULL`),
        migration(
          "contract",
          `DROP TRIGGER ${copy} ON ${table};\nDROP FUNCTION ${copy}();\nALTER TABLE ${table} DROP COLUMN ${old};`,
        ),
      );
    },
  ),
  alters(
    "change-default",
    "the live version gets a value that it does not know into rows that it writes",
    beforeContract,
    "ALTER TABLE orders ALTER COLUMN note SET DEFAULT '';",
    // The default of a column that the live version does not know comes after ADD COLUMN on purpose.
    (each, statement) =>
      each.command.subtype === "AT_ColumnDefault" &&
      each.command.def !== undefined &&
      !isNewColumn(statement, each, each.command.name),
    later,
  ),
  alters(
    "drop-default",
    "the live version's INSERTs rely on it",
    beforeContract,
    "ALTER TABLE orders ALTER COLUMN note DROP DEFAULT;",
    // Without NOT NULL, a version that does not name the column goes on writing rows.
    (each, statement) =>
      each.command.subtype === "AT_ColumnDefault" &&
      each.command.def === undefined &&
      (!isNewColumn(statement, each, each.command.name) ||
        statement.known.column(each.relation, each.command.name)?.notNull === true),
    later,
  ),
  alters(
    "drop-identity",
    "the live version's INSERTs rely on the value that PostgreSQL generates",
    beforeContract,
    "ALTER TABLE orders ALTER COLUMN id DROP IDENTITY;",
    ({ command }) => command.subtype === "AT_DropIdentity" || command.subtype === "AT_DropExpression",
    later,
  ),
  {
    name: "json-column",
    reason: "json has no equality: SELECT DISTINCT, GROUP BY and UNION over its rows fail",
    phases: allPhases,
    example: "CREATE TABLE notes (id bigint PRIMARY KEY, body json);",
    find: (statement) => {
      const { node, start, source } = statement;
      const created =
        "CreateStmt" in node
          ? (node.CreateStmt.tableElts ?? []).flatMap((element) =>
              "ColumnDef" in element ? [element.ColumnDef] : [],
            )
          : [];
      const altered = statement.commands.flatMap(({ at, command }) =>
        command.def !== undefined && "ColumnDef" in command.def
          ? [{ at, column: command.def.ColumnDef }]
          : [],
      );
      return [...created.map((column) => ({ at: column.location ?? start, column })), ...altered]
        .filter(({ column }) => isType(column.typeName, "json"))
        .map(({ at, column }) => {
          const place = source.find("JSON", column.typeName?.location ?? 0);
          return {
            at,
            recipe: migration(
              statement.phase,
              `${place === undefined ? source.text : source.with("jsonb", place.at, place.end)};`,
            ),
          };
        });
    },
  },
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
