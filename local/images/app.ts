import { copyFile, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { packImage, packLayer, type ImageArchive } from "./archive";
import { appUser, nodeLayer } from "./node";

/** Builds an image of the app from a server in one file. */
export async function buildAppImage(options: { reference: string; bundle: string; folder: string }): Promise<ImageArchive> {
  const { reference, bundle, folder } = options;
  const root = join(folder, "root");
  const server = "/app/server.js";
  await mkdir(dirname(join(root, server)), { recursive: true });
  await copyFile(bundle, join(root, server));
  return packImage({
    reference,
    // The big layer first: it is the same for all versions, so each further one costs only its own.
    layers: [await nodeLayer(), await packLayer(root, join(folder, "layer.tar"))],
    config: {
      Entrypoint: ["/usr/bin/node", server],
      Env: ["PATH=/usr/bin", "NODE_ENV=production"],
      User: `${String(appUser)}:${String(appUser)}`,
      WorkingDir: "/app",
      ExposedPorts: { "3000/tcp": {} },
    },
    folder,
  });
}
