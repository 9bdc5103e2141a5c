import type { V1Service } from "../kubernetes/client.js";
import { z } from "zod";
import { colors, type Color } from "../app/color.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { applyPatch, asJsonPatch, type Patched } from "../kubernetes/patch.js";
import { pointer, type JsonPatch } from "../kubernetes/jsonPointer.js";
import { names, domain } from "../app/names.js";
import { poll } from "../util/poll.js";

/** Annotation on the active Service: what was rolled back, and may not get traffic again as it is. */
export const blockedImagesAnnotation = `${domain}/blocked-images`;

const blockedImageSchema = z.object({
  color: z.enum(colors),
  image: z.string(),
  reason: z.string(),
  evidence: z.array(z.string()),
  /** By the API server's clock, ISO 8601. */
  at: z.string(),
  by: z.string(),
  /** Of the move that it was written with: who finds it there knows that this very move was made. */
  id: z.string().optional(),
  /** Id of the switch that was undone. */
  undone: z.string().optional(),
});

/** A release that was rolled back. */
export type BlockedImage = z.output<typeof blockedImageSchema>;

/** An annotation is no archive: the history has them all. */
const blockedMax = 10;
const evidenceMax = 8;
const lineMax = 300;

/** The newest last. An annotation that somebody has garbled holds no blocked images. */
export function readBlockedImages(service: V1Service): BlockedImage[] {
  const text = service.metadata?.annotations?.[blockedImagesAnnotation];
  if (text === undefined) return [];
  try {
    const parsed = z.array(blockedImageSchema).safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : [];
  } catch {
    return [];
  }
}

/** One blocked image for a color and image: the newest tells why. */
export function withBlockedImage(
  blockedImages: readonly BlockedImage[],
  blocked: BlockedImage,
): BlockedImage[] {
  const short = {
    ...blocked,
    reason: blocked.reason.slice(0, lineMax),
    evidence: blocked.evidence.slice(0, evidenceMax).map((line) => line.slice(0, lineMax)),
  };
  return [...blockedImages.filter((each) => !isOf(each, blocked)), short].slice(-blockedMax);
}

export function findBlockedImage(
  blockedImages: readonly BlockedImage[],
  of: { color: Color; image: string },
): BlockedImage | undefined {
  return blockedImages.find((blocked) => isOf(blocked, of));
}

/** Why an image of a color was rolled back; undefined where it was not, or may serve again. */
export async function readBlockedImage(
  cluster: Cluster,
  app: string,
  of: { color: Color; image: string },
): Promise<BlockedImage | undefined> {
  return findBlockedImage(
    readBlockedImages(
      await cluster.core.readNamespacedService({
        name: names.activeService(app),
        namespace: cluster.namespace,
      }),
    ),
    of,
  );
}

function isOf(blocked: BlockedImage, { color, image }: { color: Color; image: string }): boolean {
  return blocked.color === color && blocked.image === image;
}

/** The active Service, to be patched: where traffic goes, and the blocked images with it. */
export function activeServiceOf({ core, namespace }: Cluster, app: string): Patched<V1Service> {
  const where = { name: names.activeService(app), namespace };
  return {
    read: () => core.readNamespacedService(where),
    send: (body) => core.patchNamespacedService({ ...where, body }, asJsonPatch),
  };
}

/** Sets the blocked images, as long as they are as they were found. */
export function patchBlockedImages(service: V1Service, blockedImages: readonly BlockedImage[]): JsonPatch {
  const annotations = service.metadata?.annotations;
  const path = `/metadata/annotations/${pointer(blockedImagesAnnotation)}`;
  return [
    ...(annotations === undefined
      ? ([
          { op: "test", path: "/metadata/annotations", value: null },
          { op: "add", path: "/metadata/annotations", value: {} },
        ] as const)
      : ([{ op: "test", path, value: annotations[blockedImagesAnnotation] ?? null }] as const)),
    { op: "add", path, value: JSON.stringify(blockedImages) },
  ];
}

/** For others who write blocked images at the same moment. */
const clearMs = 10_000;

/**
 * Lets the images of a color serve traffic again. @returns the blocked images that are gone
 * @throws DeadlineError when they change all the time
 */
export async function unblockImages(cluster: Cluster, app: string, color: Color): Promise<BlockedImage[]> {
  const target = activeServiceOf(cluster, app);
  return poll(
    async () => {
      const service = await target.read();
      const blockedImages = readBlockedImages(service);
      const gone = blockedImages.filter((blocked) => blocked.color === color);
      if (gone.length === 0) return [];
      const kept = blockedImages.filter((blocked) => blocked.color !== color);
      return (await applyPatch(target, patchBlockedImages(service, kept))) ? gone : undefined;
    },
    { timeoutMs: clearMs },
  );
}
