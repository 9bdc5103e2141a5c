import type { V1Service } from "../kubernetes/client.js";
import { z } from "zod";
import { colors, type Color } from "../color.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { asJsonPatch, held } from "../kubernetes/jsonPatch.js";
import { pointer } from "../kubernetes/jsonPointer.js";
import { names } from "../names.js";

/** Annotation on the active Service: what was taken from users, and may not get them back as it is. */
export const marksAnnotation = "bluegreen/rolled-back";

const markSchema = z.object({
  color: z.enum(colors),
  image: z.string(),
  reason: z.string(),
  evidence: z.array(z.string()),
  /** By the API server's clock, ISO 8601. */
  at: z.string(),
  by: z.string(),
});

/** A release that was rolled back. */
export type Mark = z.output<typeof markSchema>;

/** An annotation is no archive: the history has them all. */
const marksMax = 10;
const evidenceMax = 8;
const lineMax = 300;

/** The newest last. An annotation that somebody has garbled holds no marks. */
export function readMarks(service: V1Service): Mark[] {
  const text = service.metadata?.annotations?.[marksAnnotation];
  if (text === undefined) return [];
  try {
    const parsed = z.array(markSchema).safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : [];
  } catch {
    return [];
  }
}

/** One mark for a color and image: the newest tells why. */
export function withMark(marks: readonly Mark[], mark: Mark): Mark[] {
  const short = { ...mark, reason: mark.reason.slice(0, lineMax), evidence: mark.evidence.slice(0, evidenceMax).map((line) => line.slice(0, lineMax)) };
  return [...marks.filter((each) => !isOf(each, mark)), short].slice(-marksMax);
}

export function findMark(marks: readonly Mark[], of: { color: Color; image: string }): Mark | undefined {
  return marks.find((mark) => isOf(mark, of));
}

/** Why an image of a color was taken from users; undefined where it was not, or may serve again. */
export async function readMark(cluster: Cluster, app: string, of: { color: Color; image: string }): Promise<Mark | undefined> {
  return findMark(readMarks(await cluster.core.readNamespacedService({ name: names.activeService(app), namespace: cluster.namespace })), of);
}

function isOf(mark: Mark, { color, image }: { color: Color; image: string }): boolean {
  return mark.color === color && mark.image === image;
}

/** Lets the images of a color serve users again. @returns the marks that are gone */
export async function clearMarks(cluster: Cluster, app: string, color: Color): Promise<Mark[]> {
  const where = { name: names.activeService(app), namespace: cluster.namespace };
  const path = `/metadata/annotations/${pointer(marksAnnotation)}`;
  for (;;) {
    const service = await cluster.core.readNamespacedService(where);
    const marks = readMarks(service);
    const [gone, kept] = [marks.filter((mark) => mark.color === color), marks.filter((mark) => mark.color !== color)];
    if (gone.length === 0) return [];
    const body = [{ op: "test", path, value: service.metadata?.annotations?.[marksAnnotation] }, { op: "replace", path, value: JSON.stringify(kept) }];
    if (await held(cluster.core.patchNamespacedService({ ...where, body }, asJsonPatch))) return gone;
  }
}
