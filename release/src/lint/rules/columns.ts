import type { ColumnDef, Constraint, ConstrType } from "libpg-query";
import { isType, quoted, quotedRelation, strings, typeText } from "../names.js";
import { allPhases, beforeContract, type Command, type Match, type Phase, type Rule, type Statement } from "../rule.js";
import { nodesOf } from "../tree.js";

/** Called for every row of the table: these give one value for all of them, others are taken to give one each. */
const sameForEveryRow = new Set(
  "now transaction_timestamp statement_timestamp date_trunc date_part timezone to_timestamp to_date make_date make_interval make_timestamptz current_setting current_database current_schema concat lower upper md5 json_build_object jsonb_build_object json_build_array jsonb_build_array to_json to_jsonb array_fill repeat round floor ceil abs".split(" "),
);

const added = ({ commands, known }: Statement): { each: Command; column: ColumnDef }[] =>
  commands.flatMap((each) => {
    const { subtype, def } = each.command;
    if (subtype !== "AT_AddColumn" || def === undefined || !("ColumnDef" in def) || known.isFreshRelation(each.relation)) return [];
    return [{ each, column: def.ColumnDef }];
  });

function constraint({ constraints = [] }: ColumnDef, ...types: ConstrType[]): Constraint | undefined {
  return constraints.flatMap((node) => ("Constraint" in node ? [node.Constraint] : [])).find(({ contype }) => contype !== undefined && types.includes(contype));
}

/** NULL is what a column has without a default. */
function hasDefault(column: ColumnDef): boolean {
  if (constraint(column, "CONSTR_IDENTITY", "CONSTR_GENERATED") !== undefined || isSerial(column)) return true;
  const expression = constraint(column, "CONSTR_DEFAULT")?.raw_expr;
  return expression !== undefined && !("A_Const" in expression && expression.A_Const.isnull === true);
}

function isSerial({ typeName }: ColumnDef): boolean {
  return isType(typeName, "serial", "bigserial", "smallserial", "serial2", "serial4", "serial8");
}

function matchOf({ at, relation }: Command, column: ColumnDef): Match {
  return { at, subject: { table: quotedRelation(relation), column: quoted(column.colname), type: typeText(column.typeName) } };
}

const addedWhere = (isBad: (column: ColumnDef) => boolean) => (statement: Statement) =>
  added(statement)
    .filter(({ column }) => isBad(column))
    .map(({ each, column }) => matchOf(each, column));

const alters = (name: string, reason: string, phases: readonly Phase[], recipe: Rule["recipe"], isBad: (each: Command, statement: Statement) => boolean): Rule => ({
  name,
  reason,
  phases,
  recipe,
  find: (statement) =>
    statement.commands
      .filter((each) => isBad(each, statement) && !statement.known.isFreshRelation(each.relation))
      .map(({ at, command, relation }) => {
        const type = command.def !== undefined && "ColumnDef" in command.def ? typeText(command.def.ColumnDef.typeName) : undefined;
        return { at, subject: { table: quotedRelation(relation), column: quoted(columnOf(command)), ...(type === undefined ? {} : { type }) } };
      }),
});

function columnOf({ name, def }: Command["command"]): string | undefined {
  return name ?? (def !== undefined && "Constraint" in def ? strings(def.Constraint.keys)[0] : undefined);
}

/** ADD CONSTRAINT … NOT NULL column, without NOT VALID: SET NOT NULL by another name. */
function addsNotNull({ subtype, def }: Command["command"]): boolean {
  return subtype === "AT_AddConstraint" && def !== undefined && "Constraint" in def && def.Constraint.contype === "CONSTR_NOTNULL" && def.Constraint.skip_validation !== true;
}

export const columnRules: Rule[] = [
  {
    name: "add-not-null-column",
    reason: "the live version's INSERTs do not name the column and fail; so does the statement itself where there are rows",
    phases: allPhases,
    recipe: ({ table, column, type }) => `ALTER TABLE ${table} ADD COLUMN ${column} ${type};
-- or with a constant default, which no row is rewritten for
ALTER TABLE ${table} ADD COLUMN ${column} ${type} NOT NULL DEFAULT …;`,
    find: addedWhere((column) => constraint(column, "CONSTR_NOTNULL", "CONSTR_PRIMARY") !== undefined && !hasDefault(column)),
  },
  {
    name: "volatile-default",
    reason: "a default that differs from row to row rewrites the whole table under a lock that stops reads as well",
    phases: allPhases,
    recipe: ({ table, column, type }) => `ALTER TABLE ${table} ADD COLUMN ${column} ${type};
ALTER TABLE ${table} ALTER COLUMN ${column} SET DEFAULT …; -- for new rows
-- backfill: the old rows, in batches`,
    find: addedWhere((column) => {
      const expression = constraint(column, "CONSTR_DEFAULT")?.raw_expr;
      return nodesOf(expression, "FuncCall").some(({ funcname }) => !sameForEveryRow.has(strings(funcname).at(-1) ?? ""));
    }),
  },
  {
    name: "stored-generated-column",
    reason: "a stored generated column rewrites the whole table under a lock that stops reads as well",
    phases: allPhases,
    recipe: ({ table, column, type }) => `ALTER TABLE ${table} ADD COLUMN ${column} ${type};
CREATE TRIGGER … BEFORE INSERT OR UPDATE ON ${table} …; -- for new rows
-- backfill: the old rows, in batches. From PostgreSQL 18 on, GENERATED … VIRTUAL rewrites nothing`,
    find: (statement) => [
      ...addedWhere((column) => constraint(column, "CONSTR_GENERATED")?.generated_kind === "s")(statement),
      ...statement.commands
        .filter(({ command, relation }) => command.subtype === "AT_SetExpression" && !statement.known.isFreshRelation(relation))
        .map(({ at, command, relation }) => ({ at, subject: { table: quotedRelation(relation), column: quoted(command.name) } })),
    ],
  },
  {
    name: "serial-column",
    reason: "a serial or identity column numbers the rows there are: the whole table is rewritten under a lock that stops reads as well",
    phases: allPhases,
    recipe: ({ table, column }) => `ALTER TABLE ${table} ADD COLUMN ${column} bigint;
CREATE SEQUENCE … OWNED BY ${table}.${column};
ALTER TABLE ${table} ALTER COLUMN ${column} SET DEFAULT nextval('…'); -- for new rows
-- backfill: the old rows, in batches`,
    find: addedWhere((column) => isSerial(column) || constraint(column, "CONSTR_IDENTITY") !== undefined),
  },
  {
    name: "set-not-null",
    reason: "the live version's writes of NULL fail at once; without a validated CHECK all rows are read under a lock that stops reads as well",
    phases: allPhases,
    recipe: ({ table, column }) => `-- contract, three migrations, each in its own transaction
ALTER TABLE ${table} ADD CONSTRAINT ${column}_not_null CHECK (${column} IS NOT NULL) NOT VALID;
ALTER TABLE ${table} VALIDATE CONSTRAINT ${column}_not_null;
ALTER TABLE ${table} ALTER COLUMN ${column} SET NOT NULL;
ALTER TABLE ${table} DROP CONSTRAINT ${column}_not_null; -- a statement of its own: in one, the drop comes first`,
    find: (statement) => {
      // Whatever the order in the statement, PostgreSQL drops before it looks for a proof.
      const dropped = statement.commands.flatMap(({ command }) => (command.subtype === "AT_DropConstraint" ? [command.name] : []));
      return statement.commands
        .filter(({ command, relation }) => (command.subtype === "AT_SetNotNull" || addsNotNull(command)) && !statement.known.isFreshRelation(relation))
        .filter(({ command, relation }) => statement.phase !== "contract" || !statement.known.isNeverNull(relation, columnOf(command), dropped))
        .map(({ at, command, relation }) => ({ at, subject: { table: quotedRelation(relation), column: quoted(columnOf(command)) } }));
    },
  },
  alters(
    "drop-not-null",
    "a version that never met NULL in the column meets it",
    beforeContract,
    ({ table, column }) => `-- first release a version that can read NULL there; then, in contract
ALTER TABLE ${table} ALTER COLUMN ${column} DROP NOT NULL;`,
    ({ command }) => command.subtype === "AT_DropNotNull",
  ),
  alters(
    "change-type",
    "the whole table is rewritten under a lock that stops reads as well, and the live version expects the old type",
    allPhases,
    ({ table, column, type }) => `-- expand: a second column, kept equal by a trigger
ALTER TABLE ${table} ADD COLUMN ${column}_new ${type};
CREATE TRIGGER … BEFORE INSERT OR UPDATE ON ${table} …;
-- backfill: copy ${column} to ${column}_new in batches
-- contract: ALTER TABLE ${table} DROP COLUMN ${column};`,
    ({ command }) => command.subtype === "AT_AlterColumnType",
  ),
  alters(
    "change-default",
    "the live version gets a value that it does not know into rows that it writes",
    beforeContract,
    ({ table, column }) => `-- the new version writes the value itself; in contract
ALTER TABLE ${table} ALTER COLUMN ${column} SET DEFAULT …;`,
    // The default of a column that the live version does not know comes after ADD COLUMN on purpose.
    ({ command, relation }, { known }) => command.subtype === "AT_ColumnDefault" && command.def !== undefined && !known.isFreshColumn(relation, command.name),
  ),
  alters(
    "drop-default",
    "the live version's INSERTs rely on it",
    beforeContract,
    ({ table, column }) => `-- the new version writes the value itself; in contract
ALTER TABLE ${table} ALTER COLUMN ${column} DROP DEFAULT;`,
    ({ command }) => command.subtype === "AT_ColumnDefault" && command.def === undefined,
  ),
  alters(
    "drop-identity",
    "the live version's INSERTs rely on the value that PostgreSQL generates",
    beforeContract,
    ({ table, column }) => `-- the new version writes the value itself; in contract
ALTER TABLE ${table} ALTER COLUMN ${column} DROP IDENTITY;`,
    ({ command }) => command.subtype === "AT_DropIdentity" || command.subtype === "AT_DropExpression",
  ),
  {
    name: "json-column",
    reason: "json has no equality: SELECT DISTINCT, GROUP BY and UNION over its rows fail",
    phases: allPhases,
    recipe: ({ column }) => `${column} jsonb`,
    find: (statement) => {
      const { node, start } = statement;
      const table = "CreateStmt" in node ? node.CreateStmt.relation : undefined;
      const created = "CreateStmt" in node ? (node.CreateStmt.tableElts ?? []).flatMap((element) => ("ColumnDef" in element ? [element.ColumnDef] : [])) : [];
      const altered = statement.commands.flatMap(({ at, command, relation }) =>
        command.def !== undefined && "ColumnDef" in command.def ? [{ at, relation, column: { colname: command.name ?? "", ...command.def.ColumnDef } }] : [],
      );
      return [...created.map((column) => ({ at: column.location ?? start, relation: table, column })), ...altered]
        .filter(({ column }) => isType(column.typeName, "json"))
        .map(({ at, relation, column }) => ({ at, subject: { table: quotedRelation(relation), column: quoted(column.colname) } }));
    },
  },
];
