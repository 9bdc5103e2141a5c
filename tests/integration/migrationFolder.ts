import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { listMigrations, runMigrations, type MigrationResult, type MigrationRun } from "@bluegreen/release";

/** A folder of migrations that a test fills. */
export interface MigrationFolder {
  folder: string;
  write(file: string, sql: string): Promise<void>;
  /** Runs all of it, with short waits. */
  run(url: string, options?: Partial<MigrationRun>): Promise<MigrationResult>;
  remove(): Promise<void>;
}

export async function makeFolder(): Promise<MigrationFolder> {
  const folder = await mkdtemp(join(tmpdir(), "bg-migrations-"));
  return {
    folder,
    write: (file, sql) => writeFile(join(folder, file), sql),
    run: (url, options) =>
      runMigrations(url, { folder, migrations: listMigrations(folder), retryDelayMs: 50, ...options }),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Work while another session of the application's is open. */
export async function withUser<T>(url: string, work: (user: Client) => Promise<T>): Promise<T> {
  const user = new Client({ connectionString: url, application_name: "the app" });
  user.on("error", () => undefined);
  await user.connect();
  try {
    return await work(user);
  } finally {
    await user.end();
  }
}
