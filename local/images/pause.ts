import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Programs } from "../cluster/programs";
import { packImage, packLayer, type ImageArchive } from "./archive";

/** Image of the container that holds a pod's namespaces. */
export const pauseReference = "bluegreen.local/pause:1";

/** Builds the pause image from the static program beside the supervisor. */
export async function buildPauseImage(programs: Programs, folder: string): Promise<ImageArchive> {
  const root = join(folder, "root");
  await mkdir(root, { recursive: true });
  await copyFile(join(programs.supervisor, "pause"), join(root, "pause"));
  const layer = await packLayer(root, join(folder, "layer.tar"));
  return packImage({ reference: pauseReference, layers: [layer], config: { Entrypoint: ["/pause"], User: "65535:65535" }, folder });
}
