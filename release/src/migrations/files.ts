import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../util/userError.js";
import { parseHeader, type MigrationHeader, type Phase } from "../sql/header.js";

/**
 * One schema change: migrations/<id>_<name>.sql. A type, because an interface is not plain data to
 * TypeScript.
 */
export type Migration = {
  /** Sorts the migrations; for example 0002. */
  id: string;
  name: string;
  /** When it is applied. */
  phase: Phase;
  /** SHA-256 of the file: an applied one never changes. */
  checksum: string;
};

/** A migration with what its file says. */
export interface MigrationFile extends Migration {
  /** The folder and the file's name. */
  path: string;
  language: "sql" | "typescript";
  /** What stands in it. */
  sql: string;
  header: MigrationHeader;
}

const fileName = /^(\d{4,})_([a-z0-9_]+)(?:(\.down)?\.sql|\.ts)$/;

/**
 * The migrations of a folder in the order in which they are applied, up to and including `upTo`.
 * @param upTo id of the newest migration wanted; undefined means all
 * None of a folder that is not there: an app may have no schema changes, and what is applied and has no file is
 * refused where the database is asked.
 * @throws UserError for a file name or header that does not fit, an id used twice, a way down
 *   without a way up, or an `upTo` that no file has
 */
export function listMigrations(folder: string, upTo?: string): Migration[] {
  const names = filesIn(folder).map((file) => parseName(folder, file));
  const up = names.filter(({ down }) => !down);
  up.forEach(({ id }, index) => {
    if (up[index + 1]?.id !== id) return;
    throw new UserError({
      code: "BG-MIGRATION-FILE-INVALID",
      what: `Two migrations in ${folder}/ have the id ${id}`,
      rule: "an id is used once",
      next: "give the newer one the next free id",
    });
  });
  const files = up.map((name) => read(folder, name));
  for (const { id, name } of names.filter(({ down }) => down))
    refuseStrayDown(
      folder,
      id,
      name,
      files.find((file) => file.id === id && file.name === name),
    );
  const migrations = files.map(({ id, name, phase, checksum }) => ({ id, name, phase, checksum }));
  if (upTo === undefined) return migrations;
  const last = migrations.findIndex(({ id }) => id === upTo);
  if (last < 0) {
    throw new UserError({
      code: "BG-MIGRATION-ID-UNKNOWN",
      what: `schemaVersion ${JSON.stringify(upTo)} was refused`,
      rule:
        migrations.length === 0
          ? `there is no migration in ${folder}/`
          : `${folder}/ has the ids ${migrations.map(({ id }) => id).join(", ")}`,
      next: "pulumi config set schemaVersion ID, or pulumi config rm schemaVersion for the newest",
    });
  }
  return migrations.slice(0, last + 1);
}

/**
 * What could be meant as a migration: a folder that another tool has made is, and so is SQL under a wrong name.
 * What keeps the folder in Git, and text beside it, is not.
 */
function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter(
      (entry) =>
        !entry.name.startsWith(".") && (entry.isDirectory() || /\.(?:sql|[cm]?[jt]s)$/i.test(entry.name)),
    )
    .map(({ name }) => name)
    .sort();
}

/**
 * The migrations up to a contract migration.
 * @throws UserError when `upTo` is none
 */
export function listContracts(folder: string, upTo: string): Migration[] {
  const all = listMigrations(folder);
  const contracts = all.filter(({ phase }) => phase === "contract").map(({ id }) => id);
  if (contracts.includes(upTo)) return all.filter(({ id }) => id <= upTo);
  throw new UserError({
    code: "BG-MIGRATION-ID-UNKNOWN",
    what: `contractMigration ${JSON.stringify(upTo)} was refused`,
    rule:
      contracts.length === 0
        ? `${folder}/ has no contract migration`
        : `the contract migrations in ${folder}/ are ${contracts.join(", ")}`,
    next: "pulumi config set contractMigration ID, or pulumi config rm contractMigration",
  });
}

/**
 * The file of a listed migration.
 * @throws UserError when it is not the file that was listed
 */
export function readMigration(folder: string, migration: Migration): MigrationFile {
  const file = read(folder, migration);
  if (file.checksum === migration.checksum) return file;
  throw new UserError({
    code: "BG-MIGRATION-CHANGED",
    what: `${file.path} was refused: its checksum is ${file.checksum}`,
    rule: `the preview showed ${migration.checksum}: the file changed in between`,
    next: "pulumi preview, then pulumi up",
  });
}

/** Where the file of a migration is. */
export function migrationPath(folder: string, { id, name }: { id: string; name: string }): string {
  const sql = join(folder, `${id}_${name}.sql`);
  return existsSync(sql) ? sql : join(folder, `${id}_${name}.ts`);
}

function read(folder: string, { id, name }: { id: string; name: string }): MigrationFile {
  const path = migrationPath(folder, { id, name });
  const language = path.endsWith(".ts") ? "typescript" : "sql";
  const content = readFileSync(path);
  const sql = content.toString("utf8");
  const header = parseHeader(path, sql, language === "sql" ? "--" : "//");
  if (language === "typescript" && header.phase !== "backfill") {
    throw new UserError({
      code: "BG-BACKFILL-INVALID",
      what: `${path} was refused: TypeScript in phase ${header.phase}`,
      rule: "what SQL can say is said in SQL, which the linter reads; only a backfill may need more",
      next: `write it as ${id}_${name}.sql`,
    });
  }
  if (header.phase === "backfill" && (header.batch === undefined || !header.transaction)) {
    throw new UserError({
      code: "BG-BACKFILL-INVALID",
      what: `${path} was refused`,
      rule: "a backfill goes in batches, each in a transaction",
      next: "-- batch: TABLE by KEY, and no -- no-transaction",
    });
  }
  return {
    id,
    name,
    phase: header.phase,
    checksum: createHash("sha256").update(content).digest("hex"),
    path,
    language,
    sql,
    header,
  };
}

function parseName(folder: string, file: string): { id: string; name: string; down: boolean } {
  const [, id, name, down] = fileName.exec(file) ?? [];
  if (id === undefined || name === undefined) {
    throw new UserError({
      code: "BG-MIGRATION-FILE-INVALID",
      what: `The file ${folder}/${file} was refused`,
      rule: "a migration is named ID_NAME.sql (its undo ID_NAME.down.sql), or ID_NAME.ts where SQL cannot do it: at least four digits, then lower-case words",
      next: `for example ${folder}/0003_add_user_plan.sql`,
    });
  }
  return { id, name, down: down !== undefined };
}

function refuseStrayDown(folder: string, id: string, name: string, up: MigrationFile | undefined): void {
  const what = `The file ${folder}/${id}_${name}.down.sql was refused`;
  if (up === undefined)
    throw new UserError({
      code: "BG-MIGRATION-FILE-INVALID",
      what,
      rule: `there is no ${id}_${name}.sql that it undoes`,
      next: "name it like the migration, or remove it",
    });
  if (up.header.irreversible)
    throw new UserError({
      code: "BG-MIGRATION-FILE-INVALID",
      what,
      rule: `${up.path} says that it is irreversible`,
      next: "remove the file, or the header line",
    });
}
