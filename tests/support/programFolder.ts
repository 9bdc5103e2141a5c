import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { repositoryDir } from "../../local/paths";

/**
 * A folder of migrations below the program's, where `migrationsDir` has to be, without being a part of it.
 */
export interface ProgramFolder {
  /** As config names it. */
  path: string;
  write(file: string, sql: string): void;
  remove(): void;
}

export function makeProgramFolder(): ProgramFolder {
  const folder = mkdtempSync(join(repositoryDir, ".test-"));
  return {
    path: relative(repositoryDir, folder),
    write: (file, sql) => {
      writeFileSync(join(folder, file), sql);
    },
    remove: () => {
      rmSync(folder, { recursive: true });
    },
  };
}
