import { join } from "node:path";
import { logFile } from "../cluster/components";
import type { Layout } from "../cluster/layout";
import type { Programs } from "../programs/programs";
import { run } from "../system/run";
import { describeImage, packImages, type Image } from "./archive";

/** The namespace in which the kubelet looks for images. */
const namespace = "k8s.io";

/** Imports the images whose content is not loaded under their names yet. */
export async function importImages(
  paths: Layout,
  programs: Programs,
  images: Image[],
  folder: string,
): Promise<void> {
  const before = await loadedDigests(paths, programs);
  const missing = images.filter((image) => before.get(image.reference) !== describeImage(image).digest);
  if (missing.length === 0) return;
  await ctr(paths, programs, ["images", "import", await packImages(missing, folder)]);
  const after = await loadedDigests(paths, programs);
  for (const image of missing) {
    const [loaded, wanted] = [after.get(image.reference), describeImage(image).digest];
    if (loaded !== wanted) {
      throw new Error(
        `containerd imported ${image.reference} as ${loaded ?? "nothing"} instead of ${wanted}. Its log: ${logFile(paths, "containerd")}`,
      );
    }
  }
}

/** Digests of the loaded images by their names. */
async function loadedDigests(paths: Layout, programs: Programs): Promise<Map<string, string>> {
  const [, ...lines] = (await ctr(paths, programs, ["images", "list"])).trim().split("\n");
  return new Map(
    lines.map((line) => {
      const [reference = "", , digest = ""] = line.split(/\s+/);
      return [reference, digest];
    }),
  );
}

async function ctr(paths: Layout, programs: Programs, args: string[]): Promise<string> {
  return run(join(programs.containers, "ctr"), [
    "--address",
    paths.containerdSocket,
    "--namespace",
    namespace,
    ...args,
  ]);
}

/**
 * Imports an archive, as `docker save` and image builders write it. @returns the references that are there now, and
 * were not, or were others
 */
export async function importArchive(paths: Layout, programs: Programs, file: string): Promise<string[]> {
  const before = await loadedDigests(paths, programs);
  await ctr(paths, programs, ["images", "import", file]);
  const after = await loadedDigests(paths, programs);
  return [...after].filter(([name, digest]) => before.get(name) !== digest).map(([name]) => name);
}
