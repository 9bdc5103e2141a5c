import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Programs } from "../programs/programs";
import { packLayer, type Image } from "./archive";

/** Image of the container that holds a pod's namespaces. */
export const pauseReference = "bluegreen.local/pause:1";

/** The pause image, around the static program beside the supervisor. */
export async function pauseImage(programs: Programs, folder: string): Promise<Image> {
  const root = join(folder, "root");
  await mkdir(root, { recursive: true });
  await copyFile(join(programs.supervisor, "pause"), join(root, "pause"));
  const layer = await packLayer(root, join(folder, "layer.tar"));
  return {
    reference: pauseReference,
    layers: [layer],
    config: { Entrypoint: ["/pause"], User: "65535:65535" },
  };
}
