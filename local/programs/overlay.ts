import { copyFile, mkdir } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { filesOf } from "../system/files";
import { run } from "../system/run";

/** A Go module of somebody else, without parts that would take long to compile. */
export interface Overlay {
  /** Path of the module; go.mod says in which version. */
  module: string;
  /** Folder in local/programs with files that stand in the places of the module's. */
  own: string;
  /** Files and folders of the module that the build does not have, beside those that ours stand for; "all" but go.mod. */
  leftOut: string[] | "all";
}

/**
 * Gives the Go module in `folder` a copy of another module, with the overlay's files, and returns where it is.
 * Go's own `-overlay` refuses files of the module cache.
 * @param programs local/programs
 */
export async function applyOverlay(overlay: Overlay, programs: string, folder: string): Promise<string> {
  const ownFolder = join(programs, overlay.own);
  const own = (await filesOf(ownFolder)).map((file) => relative(ownFolder, file));
  const isLeftOut = (path: string): boolean =>
    overlay.leftOut === "all" ? path !== "go.mod" : isForTests(path) || [...overlay.leftOut, ...own].some((out) => path === out || path.startsWith(out + sep));
  const whole = await moduleFolder(folder, overlay.module);
  const copy = join(folder, overlay.own);
  for (const file of await filesOf(whole)) {
    const path = relative(whole, file);
    if (!isLeftOut(path)) await copyInto(file, join(copy, path));
  }
  for (const path of own) await copyInto(join(ownFolder, path), join(copy, path));
  await run("go", ["mod", "edit", `-replace=${overlay.module}=./${overlay.own}`], { cwd: folder });
  return copy;
}

/** Where the module cache has a module, in the version of go.mod. */
export async function moduleFolder(folder: string, path: string): Promise<string> {
  await run("go", ["mod", "download", path], { cwd: folder });
  return (await run("go", ["list", "-m", "-f", "{{.Dir}}", path], { cwd: folder })).trim();
}

/** Folders are made anew: those of the module cache may not be written to. */
export async function copyInto(file: string, copy: string): Promise<void> {
  await mkdir(dirname(copy), { recursive: true });
  await copyFile(file, copy);
}

/** Most of what there is to copy. */
function isForTests(path: string): boolean {
  return path.endsWith("_test.go") || path.split(sep).includes("testdata");
}
