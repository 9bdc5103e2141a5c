import type { Node, RangeVar, TypeName } from "libpg-query";
import { isType, quoted, quotedRelation, strings, typeText } from "../../sql/tree.js";
import { columnsIn } from "../facts.js";
import type { Known } from "../known.js";
import { inContract, inTurn, migration, words, fill, isNewColumn, notNullSteps, alters } from "../recipe.js";
import { allPhases, beforeContract, type Command, type Rule } from "../rule.js";

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

export const columnRules: Rule[] = [
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
    // Without NOT NULL, a version that does not name the column continues writing rows.
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
