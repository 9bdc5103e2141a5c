import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf, Refusal } from "../../refusal.js";
import type { GeneratedFile } from "./files.js";

/**
 * Writes all of the files or none.
 * @returns their paths
 * @throws Refusal when one is there already, or cannot be written
 */
export function writeFiles(folder: string, files: GeneratedFile[]): string[] {
  const written: string[] = [];
  for (const { file, sql } of files) {
    const path = join(folder, file);
    try {
      writeFileSync(path, sql, { flag: "wx" });
      written.push(path);
    } catch (error) {
      for (const each of written) rmSync(each);
      throw new Refusal({ what: `${path} was not written, and no other file`, rule: messageOf(error), next: "correct the cause, then the same command again" }, { cause: error });
    }
  }
  return written;
}
