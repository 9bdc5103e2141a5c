import { createHash } from "node:crypto";
import { escapeIdentifier } from "pg";
import { parseSql, tokensOf } from "../../sql/parse.js";
import { strings, nodesOf } from "../../sql/tree.js";
import { bluegreen } from "../../util/bluegreenCommand.js";
import { UserError } from "../../util/userError.js";

/** What PostgreSQL reads in a name such as app.users.email: folded to lower case unless quoted. */
export interface Target {
  schema: string | undefined;
  table: string;
  column: string;
}

/** @throws UserError for what is not TABLE.COLUMN or SCHEMA.TABLE.COLUMN */
export function parseTarget(text: string): Target {
  const parts = partsOf(text);
  const [column, table, schema] = [...parts].reverse();
  if (column === undefined || table === undefined || parts.length > 3) {
    throw new UserError({
      code: "BG-RENAME-REFUSED",
      what: `${JSON.stringify(text)} was refused`,
      rule: "a column is named TABLE.COLUMN or SCHEMA.TABLE.COLUMN, as in SQL: quoted where it has capitals",
      next: `${bluegreen} migrations rename users.name full_name`,
    });
  }
  return { schema, table, column };
}

/** @throws UserError for what is not one name that a column may have */
export function parseColumnName(text: string): string {
  const [name, ...rest] = partsOf(`_.${text}`).slice(1);
  // The parser cuts a long name off, as PostgreSQL does: it is the given text that has to fit.
  const given = text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text;
  if (name === undefined || name === "" || rest.length > 0 || Buffer.byteLength(given) > longestName) {
    throw new UserError({
      code: "BG-RENAME-REFUSED",
      what: `The new name ${JSON.stringify(text)} was refused`,
      rule: `a column's name is one SQL name of at most ${longestName} bytes, quoted where it has capitals`,
      next: `${bluegreen} migrations rename users.name full_name`,
    });
  }
  return name;
}

/** @throws UserError for what is not one type, with a collation at most */
export function parseType(text: string): string {
  const sql = `ALTER TABLE t ADD COLUMN c ${text}`;
  const parsed = parseSql(sql, Buffer.from(sql));
  const [statement, ...rest] = "error" in parsed ? [] : parsed.statements;
  const commands =
    statement !== undefined && "AlterTableStmt" in statement.node
      ? (statement.node.AlterTableStmt.cmds ?? [])
      : [];
  const columns = nodesOf(commands, "ColumnDef");
  if (
    rest.length === 0 &&
    commands.length === 1 &&
    columns.length === 1 &&
    columns.every(({ constraints }) => constraints === undefined)
  )
    return text;
  throw new UserError({
    code: "BG-RENAME-REFUSED",
    what: `--type ${JSON.stringify(text)} was refused`,
    rule: "it is one type as in SQL, without constraints",
    next: "--type 'numeric(10, 2)'",
  });
}

function partsOf(text: string): string[] {
  const sql = `SELECT ${text}`;
  const parsed = parseSql(sql, Buffer.from(sql));
  const [statement, ...rest] = "error" in parsed ? [] : parsed.statements;
  if (statement === undefined || rest.length > 0 || !("SelectStmt" in statement.node)) return [];
  const [target, ...others] = statement.node.SelectStmt.targetList ?? [];
  if (
    target === undefined ||
    others.length > 0 ||
    !("ResTarget" in target) ||
    target.ResTarget.name !== undefined
  )
    return [];
  const { val } = target.ResTarget;
  if (val === undefined || !("ColumnRef" in val)) return [];
  const { fields = [] } = val.ColumnRef;
  return fields.length === strings(fields).length ? strings(fields) : [];
}

/** PostgreSQL cuts longer names off, and two of them may become one. */
const longestName = 63;

/** A name as SQL: quoted where PostgreSQL would otherwise read another one, or a keyword. */
export function identifier(name: string): string {
  if (!/^[a-z_][a-z0-9_]*$/.test(name)) return escapeIdentifier(name);
  const [token] = tokensOf(name);
  return token?.keywordName === "NO_KEYWORD" || token?.keywordName === "UNRESERVED_KEYWORD"
    ? name
    : escapeIdentifier(name);
}

/** A name made of others. Where that would be too long, the middle becomes a hash of it all. */
export function joinName(...parts: string[]): string {
  const whole = parts.join("_");
  if (Buffer.byteLength(whole) <= longestName) return whole;
  const end = `_${createHash("sha256").update(whole).digest("hex").slice(0, 8)}`;
  let begin = "";
  for (const character of whole) {
    if (Buffer.byteLength(begin + character) > longestName - end.length) break;
    begin += character;
  }
  return begin + end;
}
