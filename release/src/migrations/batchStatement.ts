import { Refusal } from "../refusal.js";
import type { MigrationFile } from "./files.js";
import type { Batch } from "./header.js";
import { splitStatements } from "./statements.js";

const placeholder = /(?<![:\w]):(first|last)\b/g;

/**
 * The statement of a backfill as PostgreSQL takes it: the range of a batch, `BETWEEN :first AND :last`,
 * becomes its two parameters. Both ends belong to the batch.
 * @param type of the key, as PostgreSQL writes it
 * @throws Refusal when the file is not one statement with a range
 */
export async function batchStatement({ path, sql }: Pick<MigrationFile, "path" | "sql">, { table, key }: Batch, type: string): Promise<string> {
  const refuse = (rule: string) => new Refusal({ what: `${path} was refused`, rule, next: `UPDATE ${table} SET … WHERE ${key} BETWEEN :first AND :last` });
  const used = new Set([...sql.matchAll(placeholder)].map(([, name]) => name));
  if (used.size < 2) throw refuse("a backfill changes the rows of one batch, between :first and :last");
  const statements = await splitStatements(path, sql.replace(placeholder, (_all, name) => `${name === "first" ? "$1" : "$2"}::${type}`));
  const [statement] = statements;
  if (statement === undefined || statements.length > 1) throw refuse(`a backfill is one statement; this has ${statements.length}`);
  return statement.sql;
}
