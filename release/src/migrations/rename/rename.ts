import { join } from "node:path";
import { lint } from "../../lint/lint.js";
import { loadGrammar } from "../../sql/parse.js";
import { UserError } from "../../util/userError.js";
import { listMigrations, readMigration } from "../files.js";
import { renameFiles, type GeneratedFile } from "./files.js";
import { planRename } from "./plan.js";
import { Tables } from "./tables.js";
import { parseColumnName, parseTarget, parseType } from "./target.js";

export interface RenameRequest {
  /** Of the migrations. */
  folder: string;
  /** TABLE.COLUMN or SCHEMA.TABLE.COLUMN, as in SQL. */
  column: string;
  /** As in SQL. */
  newName: string;
  /** The column's type, only where the migrations do not say it. */
  type?: string | undefined;
}

export interface Rename {
  /** In the order of their ids; the first is the next free one. */
  files: GeneratedFile[];
  /** What remains for people, in words. */
  byHand: string[];
}

/**
 * The migrations that rename a column while two versions of the app are live: dual write,
 * backfill, contract. Reads the folder and writes nothing.
 * @throws UserError when the column cannot be renamed this way, or the result would not pass lint
 */
export async function renameColumn({ folder, column, newName, type }: RenameRequest): Promise<Rename> {
  await loadGrammar();
  // TypeScript changes rows alone: what a table is made of stands in SQL.
  const listed = listMigrations(folder)
    .map((migration) => readMigration(folder, migration))
    .filter(({ language }) => language === "sql");
  const tables = new Tables();
  for (const { path, sql } of listed) tables.add(path, sql);
  const plan = planRename(
    tables,
    parseTarget(column),
    parseColumnName(newName),
    type === undefined ? undefined : parseType(type),
  );
  const lastId = listed.at(-1)?.id ?? "0000";
  const files = renameFiles(plan, String(Number(lastId) + 1).padStart(lastId.length, "0"));
  await refuseFindings(
    folder,
    listed.map(({ path: file, sql }) => ({ file, sql })),
    files,
  );
  return { files, byHand: plan.byHand };
}

async function refuseFindings(
  folder: string,
  before: { file: string; sql: string }[],
  files: GeneratedFile[],
): Promise<void> {
  const generated = files.map(({ file, sql }) => ({ file: join(folder, file), sql }));
  const own = new Set(generated.map(({ file }) => file));
  const found = (await lint([...before, ...generated])).find(({ file }) => own.has(file));
  if (found === undefined) return;
  throw new UserError({
    code: "BG-RENAME-REFUSED",
    what: `The rename was refused: ${found.file}:${found.line} breaks the rule ${found.rule} (${found.excerpt.trim()})`,
    rule: found.reason,
    next: `write it by hand, along docs/reference/lint-rules.md#${found.rule}`,
  });
}
