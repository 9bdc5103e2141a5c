import { Refusal } from "../refusal.js";
import type { MigrationFile } from "./files.js";
import type { Batch } from "./header.js";
import { splitStatements } from "./statements.js";

const placeholder = /(?<![:\w]):(first|last)\b/g;

/**
 * The statement of a backfill as PostgreSQL takes it: the range of a batch, `BETWEEN :first AND :last`,
 * becomes its parameters: those of the first row's key, then those of the last row's. Both rows belong to the batch.
 * @param types of the key's columns, as PostgreSQL writes them
 * @throws Refusal when the file is not one statement with a range
 */
export async function batchStatement({ path, sql }: Pick<MigrationFile, "path" | "sql">, { table, key }: Batch, types: string[]): Promise<string> {
  const keyed = key.length === 1 ? key[0] : `(${key.join(", ")})`;
  const refuse = (rule: string) => new Refusal({ what: `${path} was refused`, rule, next: `UPDATE ${table} SET … WHERE ${keyed} BETWEEN :first AND :last` });
  const used = new Set([...sql.matchAll(placeholder)].map(([, name]) => name));
  if (used.size < 2) throw refuse("a backfill changes the rows of one batch, between :first and :last");
  const ends = { first: keyRow(types, 1), last: keyRow(types, 1 + types.length) };
  const statements = await splitStatements(path, sql.replace(placeholder, (_all, name: keyof typeof ends) => ends[name]));
  const [statement] = statements;
  if (statement === undefined || statements.length > 1) throw refuse(`a backfill is one statement; this has ${statements.length}`);
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
