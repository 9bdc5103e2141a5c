import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { copyFile, link, mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { run } from "../system/run";

/** A file system layer: a tar file. */
export interface Layer {
  file: string;
  /** Of the tar file, with the algorithm before it: sha256:… */
  digest: string;
  size: number;
}

/** What a container of the image runs (fields of the OCI image configuration). */
export interface ImageConfig {
  Entrypoint: string[];
  Env?: string[];
  User?: string;
  WorkingDir?: string;
  ExposedPorts?: Record<string, object>;
}

/** An image to pack: its whole name, registry included, and what is in it. */
export interface Image {
  reference: string;
  layers: Layer[];
  config: ImageConfig;
}

/** Tar options that leave out whatever differs between two runs with the same content. */
const reproducible = [
  "--sort=name",
  "--owner=0",
  "--group=0",
  "--numeric-owner",
  "--mtime=@0",
  "--format=gnu",
];

/** Packs a folder as a layer. */
export async function packLayer(folder: string, file: string): Promise<Layer> {
  await run("tar", [...reproducible, "--create", `--file=${file}`, `--directory=${folder}`, "."]);
  return describeLayer(file);
}

/** A layer that is packed already. */
export async function describeLayer(file: string): Promise<Layer> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return { file, digest: `sha256:${hash.digest("hex")}`, size: (await stat(file)).size };
}

/** The JSON documents of an image. The same content always has the same digests. */
export interface Manifest {
  configuration: string;
  manifest: string;
  /** Digest of the manifest, which stands for the whole image. */
  digest: string;
}

/** Describes an image in the form of the OCI image specification. */
export function describeImage({ layers, config }: Image): Manifest {
  const configuration = JSON.stringify({
    architecture: architectures[process.arch] ?? process.arch,
    os: "linux",
    config,
    rootfs: { type: "layers", diff_ids: layers.map((layer) => layer.digest) },
  });
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: manifestType,
    config: { mediaType: "application/vnd.oci.image.config.v1+json", ...descriptor(configuration) },
    layers: layers.map(({ digest, size }) => ({
      mediaType: "application/vnd.oci.image.layer.v1.tar",
      digest,
      size,
    })),
  });
  return { configuration, manifest, digest: descriptor(manifest).digest };
}

/**
 * Packs images into one archive that containerd imports; no container engine takes part.
 * A layer that several of them share is in it once.
 */
export async function packImages(images: Image[], folder: string): Promise<string> {
  const content = join(folder, "archive");
  const blobs = join(content, "blobs", "sha256");
  await mkdir(blobs, { recursive: true });
  const blobFile = (digest: string): string => join(blobs, digest.slice("sha256:".length));
  const layers = new Map(images.flatMap((image) => image.layers).map((layer) => [layer.digest, layer]));
  for (const layer of layers.values()) await linkOrCopy(layer.file, blobFile(layer.digest));
  const manifests = [];
  for (const image of images) {
    const { configuration, manifest } = describeImage(image);
    for (const text of [configuration, manifest]) await writeFile(blobFile(descriptor(text).digest), text);
    manifests.push({
      mediaType: manifestType,
      ...descriptor(manifest),
      annotations: { "io.containerd.image.name": image.reference },
    });
  }
  await writeFile(join(content, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  await writeFile(join(content, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
  const file = join(folder, "images.tar");
  await run("tar", [...reproducible, "--create", `--file=${file}`, `--directory=${content}`, "."]);
  return file;
}

const manifestType = "application/vnd.oci.image.manifest.v1+json";

function descriptor(text: string): { digest: string; size: number } {
  return {
    digest: `sha256:${createHash("sha256").update(text).digest("hex")}`,
    size: Buffer.byteLength(text),
  };
}

const architectures: Partial<Record<NodeJS.Architecture, string>> = { x64: "amd64", arm64: "arm64" };

/** A hard link costs nothing for a layer of a hundred megabytes; across file systems there is none. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch {
    await copyFile(from, to);
  }
}
