import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "../refusal.js";

/** One schema change: migrations/<id>_<name>.sql. */
export interface Migration {
  /** Sorts the migrations; for example 0002. */
  id: string;
  name: string;
}

const fileName = /^(\d{4,})_([a-z0-9_]+)\.sql$/;

/**
 * The migrations of a folder in the order in which they are applied, up to and including `upTo`.
 * @param upTo id of the newest migration wanted; undefined means all
 * @throws Refusal for a file name that does not fit, an id used twice, or an `upTo` that no file has
 */
export function listMigrations(folder: string, upTo?: string): Migration[] {
  const migrations = readdirSync(folder).sort().map((file) => parseName(folder, file));
  migrations.forEach(({ id }, index) => {
    if (migrations[index + 1]?.id !== id) return;
    throw new Refusal({ what: `Two migrations in ${folder}/ have the id ${id}`, rule: "an id is used once", next: "give the newer one the next free id" });
  });
  if (upTo === undefined) return migrations;
  const last = migrations.findIndex(({ id }) => id === upTo);
  if (last < 0) {
    throw new Refusal({
      what: `schemaVersion ${JSON.stringify(upTo)} was refused`,
      rule: `${folder}/ has the ids ${migrations.map(({ id }) => id).join(", ")}`,
      next: "pulumi config set schemaVersion ID, or pulumi config rm schemaVersion for the newest",
    });
  }
  return migrations.slice(0, last + 1);
}

export function readSql(folder: string, { id, name }: Migration): string {
  return readFileSync(join(folder, `${id}_${name}.sql`), "utf8");
}

function parseName(folder: string, file: string): Migration {
  const [, id, name] = fileName.exec(file) ?? [];
  if (id === undefined || name === undefined) {
    throw new Refusal({
      what: `The file ${folder}/${file} was refused`,
      rule: "a migration is named ID_NAME.sql: at least four digits, then lower-case words",
      next: `for example ${folder}/0003_add_user_plan.sql`,
    });
  }
  return { id, name };
}
