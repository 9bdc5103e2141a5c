import { createHash } from "node:crypto";
import { cp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheDir, repositoryDir } from "../../local/paths";
import { withLock } from "../../local/system/lock";
import { run } from "../../local/system/run";

/**
 * The folder of an example's image with its packages, once for each state of its lockfile, and outside of this
 * repository.
 */
export async function installImage(example: string): Promise<string> {
  const image = join(repositoryDir, "examples", example, "image");
  const lockfile = await readFile(join(image, "package-lock.json"));
  const key = createHash("sha256").update(lockfile).digest("hex").slice(0, 16);
  const folder = join(cacheDir(), "examples", `${example}-${key}`);
  await withLock(`${folder}.lock`, async () => {
    await cp(image, folder, { recursive: true });
    await run("npm", ["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: folder });
  });
  return folder;
}
