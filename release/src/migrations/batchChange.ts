import { createRequire } from "node:module";
import { resolve } from "node:path";
import type { Queryable } from "../postgres/client.js";
import { loadTypeScript } from "../util/loadTypeScript.js";
import { UserError } from "../util/userError.js";
import type { MigrationFile } from "./files.js";
import type { Batch } from "../sql/header.js";
import { splitStatements } from "../sql/statements.js";

/**
 * The rows of a batch: from one key to another, both in it. Keys are texts, one for each column of the
 * primary key.
 */
export interface BatchRange {
  first: string[];
  last: string[];
}

/** What a backfill in TypeScript exports as its default. */
export type BatchFunction = (db: Queryable, range: BatchRange) => Promise<void>;

/**
 * What a backfill does with each batch, inside the transaction of that batch.
 * @param types of the key's columns, as PostgreSQL writes them
 * @throws UserError when the file is not such a backfill
 */
export async function batchChange(
  db: Queryable,
  file: MigrationFile,
  batch: Batch,
  types: string[],
): Promise<(range: BatchRange) => Promise<void>> {
  if (file.language === "typescript") {
    const change = load(file.path);
    return (range) => change(db, range);
  }
  const statement = await batchStatement(file, batch, types);
  return async ({ first, last }) => {
    await db.query(statement, [...first, ...last]);
  };
}

function load(path: string): BatchFunction {
  // Pulumi's provider process is plain Node.js.
  loadTypeScript(process.cwd());
  const file = resolve(path);
  const loaded: unknown = createRequire(file)(file);
  if (typeof loaded === "object" && loaded !== null && "default" in loaded && isBatchFunction(loaded.default))
    return loaded.default;
  throw new UserError({
    code: "BG-BACKFILL-INVALID",
    what: `${path} was refused: it exports no function as its default`,
    rule: "a backfill in TypeScript is a function that changes the rows of one batch",
    next: "export default async function (db, { first, last }) { await db.query(…, [first[0], last[0]]); }",
  });
}

function isBatchFunction(value: unknown): value is BatchFunction {
  return typeof value === "function";
}

const placeholder = /(?<![:\w]):(first|last)\b/g;

/**
 * The statement of a backfill as PostgreSQL takes it: the range of a batch, `BETWEEN :first AND :last`,
 * becomes its parameters: those of the first row's key, then those of the last row's. Both rows belong to the
 * batch.
 * @param types of the key's columns, as PostgreSQL writes them
 * @throws UserError when the file is not one statement with a range
 */
export async function batchStatement(
  { path, sql }: Pick<MigrationFile, "path" | "sql">,
  { table, key }: Batch,
  types: string[],
): Promise<string> {
  const keyed = key.length === 1 ? key[0] : `(${key.join(", ")})`;
  const refuse = (rule: string) =>
    new UserError({
      code: "BG-BACKFILL-INVALID",
      what: `${path} was refused`,
      rule,
      next: `UPDATE ${table} SET … WHERE ${keyed} BETWEEN :first AND :last`,
    });
  const used = new Set([...sql.matchAll(placeholder)].map(([, name]) => name));
  if (used.size < 2) throw refuse("a backfill changes the rows of one batch, between :first and :last");
  const ends = { first: keyRow(types, 1), last: keyRow(types, 1 + types.length) };
  const statements = await splitStatements(
    path,
    sql.replace(placeholder, (_all, name: keyof typeof ends) => ends[name]),
  );
  const [statement] = statements;
  if (statement === undefined || statements.length > 1)
    throw refuse(`a backfill is one statement; this has ${statements.length}`);
  return statement.sql;
}

/**
 * A key as parameters.
 * @param from number of the first
 */
export function keyRow(types: string[], from: number): string {
  const parameters = types.map((type, index) => `$${from + index}::${type}`).join(", ");
  return types.length === 1 ? parameters : `(${parameters})`;
}
