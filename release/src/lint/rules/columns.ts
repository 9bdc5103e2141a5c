import { isType, quoted, quotedRelation, strings } from "../../sql/names.js";
import { inContract, inTurn, migration, words } from "../recipe.js";
import { allPhases, beforeContract, type Command, type Rule } from "../rule.js";
import { fill, isNewColumn, notNullSteps } from "../steps.js";
import { alters } from "../ruleKinds.js";
import { isItself, isRead, isWider } from "../typeChange.js";

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
