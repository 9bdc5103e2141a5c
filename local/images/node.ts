import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { cacheDir } from "../paths";
import { withLock } from "../system/lock";
import { run } from "../system/run";
import { describeLayer, packLayer, type Layer } from "./archive";

/**
 * User that the app's container runs as. The number counts: Kubernetes cannot check a name against
 * runAsNonRoot.
 */
export const appUser = 10001;

/**
 * The layer that all versions of the app share: this Node.js with its libraries. Packed once per Node.js and
 * kept in the cache.
 */
export async function nodeLayer(): Promise<Layer> {
  const files = [process.execPath, ...(await sharedLibraries(process.execPath))];
  const key = createHash("sha256");
  for (const file of files) {
    const { size, mtimeMs } = await stat(file);
    key.update(JSON.stringify([file, size, mtimeMs, process.version]));
  }
  const layer = join(cacheDir(), "layers", `node-${key.digest("hex").slice(0, 16)}.tar`);
  const description = `${layer}.json`;
  return withLock(`${layer}.lock`, async () => {
    if (!existsSync(layer)) await pack(files, layer);
    // To hash a hundred megabytes for each image takes longer than all else about it.
    if (!existsSync(description)) {
      await writeFile(`${description}.new`, JSON.stringify(await describeLayer(layer)));
      await rename(`${description}.new`, description);
    }
    return JSON.parse(await readFile(description, "utf8")) as Layer;
  });
}

async function pack([node = "", ...libraries]: string[], layer: string): Promise<void> {
  const folder = `${layer}.new`;
  // A run that was killed may have left a part of it.
  await rm(folder, { recursive: true, force: true });
  try {
    const root = join(folder, "root");
    const add = async (from: string, to: string): Promise<void> => {
      await mkdir(dirname(join(root, to)), { recursive: true });
      await copyFile(await realpath(from), join(root, to));
    };
    await add(node, "/usr/bin/node");
    for (const library of libraries) await add(library, library);
    await mkdir(join(root, "etc"));
    await writeFile(
      join(root, "etc", "passwd"),
      `app:x:${String(appUser)}:${String(appUser)}::/:/sbin/nologin\n`,
    );
    const packed = join(folder, "layer.tar");
    await packLayer(root, packed);
    await rename(packed, layer);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Paths of the libraries that the dynamic loader brings together for a program, the loader included. */
async function sharedLibraries(program: string): Promise<string[]> {
  return [...(await run("ldd", [program])).matchAll(/(\/\S+) \(0x/g)].map(([, path = ""]) => path);
}
