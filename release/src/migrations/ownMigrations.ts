import { existsSync, readdirSync } from "node:fs";
import { isSeparate, type Strategy } from "../config/schema/database.js";
import type { FlatSettings } from "../config/schema.js";

/** What says whether an app has migrations that a release applies itself. */
export type MigrationsConfig = Pick<FlatSettings, "migrationsDir" | "schemaVersion" | "contractMigration"> & {
  database: Pick<FlatSettings["database"], "strategy">;
};

/**
 * How the colors share the database that a release itself has to ask; undefined where there is none, or where
 * nothing in it is the release's: an app that brings its own migrations may have a database that only the cluster
 * reaches.
 */
export function askedDatabase({
  database: { strategy },
  migrationsDir,
  schemaVersion,
  contractMigration,
}: MigrationsConfig): Strategy | undefined {
  if (strategy === "none") return undefined;
  const isAsked =
    isSeparate(strategy) ||
    schemaVersion !== undefined ||
    contractMigration !== undefined ||
    hasFiles(migrationsDir);
  return isAsked ? strategy : undefined;
}

/** Also of a name that is wrong: whoever lists them says so. */
function hasFiles(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).some((file) => /\.(?:sql|ts)$/.test(file));
}
