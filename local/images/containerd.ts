import { join } from "node:path";
import type { Layout } from "../cluster/layout";
import type { Programs } from "../cluster/programs";
import { run } from "../system/run";
import type { ImageArchive } from "./archive";

/** The namespace in which the kubelet looks for images. */
const namespace = "k8s.io";

/** Digest of a loaded image; undefined when there is none of that name. */
export async function loadedDigest(paths: Layout, programs: Programs, reference: string): Promise<string | undefined> {
  const table = await ctr(paths, programs, ["images", "list", `name==${reference}`]);
  // REF TYPE DIGEST SIZE …, under a line of headings
  return table.split("\n")[1]?.split(/\s+/)[2];
}

/** Imports an image, unless the same content is loaded under the name already. Returns whether it imported. */
export async function importImage(paths: Layout, programs: Programs, reference: string, archive: ImageArchive): Promise<boolean> {
  if ((await loadedDigest(paths, programs, reference)) === archive.digest) return false;
  await ctr(paths, programs, ["images", "import", "--local=false", archive.file]);
  const loaded = await loadedDigest(paths, programs, reference);
  if (loaded !== archive.digest) {
    throw new Error(`containerd imported ${reference} as ${loaded ?? "nothing"} instead of ${archive.digest}. Its log: ${join(paths.logs, "containerd.log")}`);
  }
  return true;
}

async function ctr(paths: Layout, programs: Programs, args: string[]): Promise<string> {
  return run(join(programs.containers, "ctr"), ["--address", paths.containerdSocket, "--namespace", namespace, ...args]);
}
