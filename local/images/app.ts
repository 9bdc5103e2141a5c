import { createHash, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, cp, mkdir, readdir, readFile, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { cacheDir, repositoryDir } from "../paths";
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

/** The analysis controller's image. One of this machine's stage is always built from this repository. */
export const controllerImage = "bluegreen.local/analysis-controller:dev";

/** Bundles the analysis controller into one file. */
export async function bundleController(file: string): Promise<void> {
  await run(process.execPath, [join(repositoryDir, "controller", "build.mjs"), file]);
}

/** Bundles a build of the reference app into one file, once for each state of its sources and libraries. */
export async function bundleApp(build: AppBuild, file: string): Promise<void> {
  const bundle = join(cacheDir(), "bundles", `${await keyOf(build)}.js`);
  if (existsSync(bundle)) return copyFile(bundle, file);
  await makeBundle(build, file);
  // Its name appears in one step: another process may make the same one.
  const own = `${bundle}.${randomUUID()}`;
  await mkdir(dirname(bundle), { recursive: true });
  await copyFile(file, own);
  await rename(own, bundle);
}

/** Changes with all that a bundle is made of. */
async function keyOf({ release, knows, fault, source = repositoryDir }: AppBuild): Promise<string> {
  const key = createHash("sha256").update(JSON.stringify([release, knows, fault]));
  const sources = (await readdir(join(source, "app", "src"), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  for (const each of [...sources, join(source, "app", "build.mjs"), join(repositoryDir, "package-lock.json")])
    key
      .update(each.slice(source.length))
      .update("\0")
      .update(await readFile(each));
  return key.digest("hex").slice(0, 16);
}

async function makeBundle(
  { release, knows, fault, source = repositoryDir }: AppBuild,
  file: string,
): Promise<void> {
  await run(process.execPath, [
    join(source, "app", "build.mjs"),
    "--release",
    release,
    "--fault",
    fault,
    ...(knows === undefined ? [] : ["--knows", knows]),
    "--outfile",
    file,
  ]);
}

/** A server that an image is made around. */
export interface Server {
  reference: string;
  /** One CommonJS file, or a folder with its packages. */
  bundle: string;
  /** In a folder: the words that Node.js starts it by, below it. */
  command?: string[];
}

/** An image around a server, the app's or the analysis controller's. The folder is for this image alone. */
export async function serverImage({
  reference,
  bundle,
  command,
  folder,
}: Server & { folder: string }): Promise<Image> {
  const root = join(folder, "root");
  const server = "/app/server.js";
  await mkdir(dirname(join(root, server)), { recursive: true });
  if (command === undefined) await copyFile(bundle, join(root, server));
  else await cp(bundle, join(root, "app"), { recursive: true, verbatimSymlinks: true });
  return {
    reference,
    // The big layer first: it is the same for all versions, so each further one costs only its own.
    layers: [await nodeLayer(), await packLayer(root, join(folder, "layer.tar"))],
    config: {
      Entrypoint: ["/usr/bin/node", ...(command ?? [server])],
      Env: ["PATH=/usr/bin", "NODE_ENV=production"],
      User: `${String(appUser)}:${String(appUser)}`,
      WorkingDir: "/app",
      ExposedPorts: { "3000/tcp": {} },
    },
  };
}
