import { copyFile, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { repositoryDir } from "../paths";
import { run } from "../system/run";
import { packLayer, type Image } from "./archive";
import { appUser, nodeLayer } from "./node";

/** Repository of the app's images, without a tag. */
export const imageRepository = "bluegreen.local/chatgpt-app";

/** A build of the reference app under a tag. */
export interface AppBuild {
  tag: string;
  /** v2 reads a column that v1 does not need. */
  release: "v1" | "v2";
  /** The newest migration that the build knows. @default the one that its release needs */
  knows?: string;
  /** The program whose app it is. @default this repository */
  source?: string;
  /** How the build is told to misbehave. */
  fault: "none" | "smoke" | "errors" | "slow" | "crash" | "late-crash" | "leak";
}

/** The watcher's image. One of this machine's stage is always built from this repository. */
export const watcherImage = "bluegreen.local/watcher:dev";

/** Bundles the watcher into one file. */
export async function bundleWatcher(file: string): Promise<void> {
  await run(process.execPath, [join(repositoryDir, "watcher", "build.mjs"), file]);
}

/** Bundles a build of the reference app into one file. */
export async function bundleApp({ release, knows, fault, source = repositoryDir }: AppBuild, file: string): Promise<void> {
  await run(process.execPath, [join(source, "app", "build.mjs"), "--release", release, "--fault", fault, ...(knows === undefined ? [] : ["--knows", knows]), "--outfile", file]);
}

/** An image around a server in one file, the app's or the watcher's. The folder is for this image alone. */
export async function serverImage(options: { reference: string; bundle: string; folder: string }): Promise<Image> {
  const { reference, bundle, folder } = options;
  const root = join(folder, "root");
  const server = "/app/server.js";
  await mkdir(dirname(join(root, server)), { recursive: true });
  await copyFile(bundle, join(root, server));
  return {
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
  };
}
