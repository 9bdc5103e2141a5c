import { createRequire } from "node:module";
import { resolve } from "node:path";
import { register } from "ts-node";
import type { Queryable } from "../postgres/client.js";
import { Refusal } from "../refusal.js";
import { batchStatement } from "./batchStatement.js";
import type { MigrationFile } from "./files.js";
import type { Batch } from "./header.js";

/** The rows of a batch: from one key to another, both in it. Keys are texts, one for each column of the primary key. */
export interface BatchRange {
  first: string[];
  last: string[];
}

/** What a backfill in TypeScript exports as its default. */
export type BatchFunction = (db: Queryable, range: BatchRange) => Promise<void>;

/**
 * What a backfill does with each batch, inside the transaction of that batch.
 * @param types of the key's columns, as PostgreSQL writes them
 * @throws Refusal when the file is not such a backfill
 */
export async function batchChange(db: Queryable, file: MigrationFile, batch: Batch, types: string[]): Promise<(range: BatchRange) => Promise<void>> {
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
  register({ transpileOnly: true });
  const file = resolve(path);
  const loaded: unknown = createRequire(file)(file);
  if (typeof loaded === "object" && loaded !== null && "default" in loaded && isBatchFunction(loaded.default)) return loaded.default;
  throw new Refusal({ what: `${path} was refused: it exports no function as its default`, rule: "a backfill in TypeScript is a function that changes the rows of one batch", next: "export default async function (db, { first, last }) { await db.query(…, [first[0], last[0]]); }" });
}

function isBatchFunction(value: unknown): value is BatchFunction {
  return typeof value === "function";
}
