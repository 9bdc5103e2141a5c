import { existsSync } from "node:fs";
import { copyFile, mkdir } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { filesOf } from "../system/files";
import { run } from "../system/run";

/**
 * A Go module of somebody else, without parts that would take long to compile.
 * Files of ours that stand in their places are in overlay/, below the module's path.
 */
export interface Overlay {
  /** Path of the module; go.mod says in which version. */
  module: string;
  /**
   * Files and folders of the module that the build does not have, beside those that ours stand for; "all" but
   * go.mod.
   */
  leftOut: string[] | "all";
}

/** Where the copy of a module is, in the folder of a build. */
export function overlaidFolder(folder: string, module: string): string {
  return join(folder, "overlay", module);
}

/** Paths in the module of the files that stand for others. */
export async function standIns({ module }: Overlay): Promise<string[]> {
  const folder = overlaidFolder(__dirname, module);
  return existsSync(folder) ? (await filesOf(folder)).map((file) => relative(folder, file)) : [];
}

/**
 * Gives the Go module in `folder` a copy of another module, with the overlay's files.
 * Go's own `-overlay` refuses files of the module cache.
 */
export async function applyOverlay(overlay: Overlay, folder: string): Promise<void> {
  const { module, leftOut } = overlay;
  const own = await standIns(overlay);
  const isLeftOut = (path: string): boolean =>
    leftOut === "all"
      ? path !== "go.mod"
      : isForTests(path) || [...leftOut, ...own].some((out) => path === out || path.startsWith(out + sep));
  const whole = await moduleFolder(folder, module);
  const copy = overlaidFolder(folder, module);
  for (const file of await filesOf(whole)) {
    const path = relative(whole, file);
    if (!isLeftOut(path)) await copyInto(file, join(copy, path));
  }
  for (const path of own) await copyInto(join(overlaidFolder(__dirname, module), path), join(copy, path));
  await run("go", ["mod", "edit", `-replace=${module}=./${relative(folder, copy)}`], { cwd: folder });
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
