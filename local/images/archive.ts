import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { copyFile, link, mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../system/run";

/** A file system layer: a tar file. */
export interface Layer {
  file: string;
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

/** An image as a file that containerd imports. */
export interface ImageArchive {
  file: string;
  /** Digest of the manifest: the same content has the same digest. */
  digest: string;
}

/** Tar options that leave out whatever differs between two runs with the same content. */
const reproducible = ["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@0", "--format=gnu"];

/** Packs a folder as a layer. */
export async function packLayer(folder: string, file: string): Promise<Layer> {
  await run("tar", [...reproducible, "--create", `--file=${file}`, `--directory=${folder}`, "."]);
  return describeLayer(file);
}

/** A layer that is packed already. */
export async function describeLayer(file: string): Promise<Layer> {
  const hash = createHash("sha256");
  for await (const part of createReadStream(file)) hash.update(part as Buffer);
  return { file, digest: hash.digest("hex"), size: (await stat(file)).size };
}

/** Puts layers together to an image in OCI's archive format. No container engine takes part. */
export async function packImage(options: { reference: string; layers: Layer[]; config: ImageConfig; folder: string }): Promise<ImageArchive> {
  const { reference, layers, config, folder } = options;
  const content = await mkdtemp(join(folder, "image-"));
  const blobs = join(content, "blobs", "sha256");
  await mkdir(blobs, { recursive: true });
  const blob = async (value: object): Promise<{ digest: string; size: number }> => {
    const text = JSON.stringify(value);
    const digest = sha256(text);
    await writeFile(join(blobs, digest), text);
    return { digest: `sha256:${digest}`, size: Buffer.byteLength(text) };
  };
  try {
    for (const layer of layers) await linkOrCopy(layer.file, join(blobs, layer.digest));
    const configuration = await blob({
      architecture: architectures[process.arch] ?? process.arch,
      os: "linux",
      config,
      rootfs: { type: "layers", diff_ids: layers.map((layer) => `sha256:${layer.digest}`) },
    });
    const manifest = await blob({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: { mediaType: "application/vnd.oci.image.config.v1+json", ...configuration },
      layers: layers.map((layer) => ({
        mediaType: "application/vnd.oci.image.layer.v1.tar",
        digest: `sha256:${layer.digest}`,
        size: layer.size,
      })),
    });
    await writeFile(join(content, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
    await writeFile(
      join(content, "index.json"),
      JSON.stringify({
        schemaVersion: 2,
        manifests: [
          {
            mediaType: "application/vnd.oci.image.manifest.v1+json",
            ...manifest,
            // The whole name, registry included: containerd adds nothing to it.
            annotations: { "io.containerd.image.name": reference },
          },
        ],
      }),
    );
    const file = join(folder, "image.tar");
    await run("tar", [...reproducible, "--create", `--file=${file}`, `--directory=${content}`, "."]);
    return { file, digest: manifest.digest };
  } finally {
    await rm(content, { recursive: true, force: true });
  }
}

const architectures: Partial<Record<NodeJS.Architecture, string>> = { x64: "amd64", arm64: "arm64" };

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** A hard link costs nothing for a layer of a hundred megabytes; across file systems there is none. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch {
    await copyFile(from, to);
  }
}
