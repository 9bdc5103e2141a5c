import { namespaceOf, type Color } from "../app/color.js";
import { imageAnnotation, names } from "../app/names.js";
import type {
  V1Deployment,
  V1ObjectMeta,
  V1Pod,
  V1PodTemplateSpec,
  V1ManagedFieldsEntry,
} from "../kubernetes/client.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { appContainer, imageIn } from "../kubernetes/containers.js";
import { readDeployment } from "../kubernetes/deployment.js";
import { isCurrent, podsOfColor } from "../kubernetes/pods.js";

/** An image that somebody has set past the program. */
export interface ChangedImage {
  /** The object that has it, as people name it. */
  where: string;
  container: string;
  image: string;
  /** What the program has applied, as config names it. */
  applied: string;
  /** The name by which the API server knows who has set it. */
  by: string;
}

/** The image of a color as config names it; undefined where there is none. */
export function appliedImage(deployment: V1Deployment | undefined): string | undefined {
  return deployment?.metadata?.annotations?.[imageAnnotation] ?? imageIn(deployment);
}

/** The image that a color has by another hand than the program's; undefined where it has none. */
export async function readChangedImage(
  cluster: Cluster,
  app: string,
  color: Color,
): Promise<ChangedImage | undefined> {
  const [deployment, pods] = await Promise.all([
    readDeployment(cluster, app, color),
    podsOfColor(cluster, { app, color }),
  ]);
  return findChangedImage(deployment, pods, `${namespaceOf(cluster, color)}/${names.deployment(app, color)}`);
}

/**
 * `kubectl set image` for instance. What a webhook has rewritten, into a digest or for a mirror, has been set by
 * whoever applied the object: the field is still theirs.
 */
export function findChangedImage(
  deployment: V1Deployment | undefined,
  pods: readonly V1Pod[],
  name: string,
): ChangedImage | undefined {
  const applied = deployment?.metadata?.annotations?.[imageAnnotation];
  if (deployment?.spec === undefined || applied === undefined) return undefined;
  const { metadata, spec } = deployment;
  const annotation = ["f:metadata", "f:annotations", `f:${imageAnnotation}`];
  return (
    changedIn(metadata, spec.template, ["f:spec", "f:template", "f:spec"], annotation, {
      where: `Deployment ${name}`,
      applied,
    }) ??
    pods
      .filter(isCurrent)
      .map((pod) =>
        changedIn(pod.metadata, pod, ["f:spec"], ["f:metadata", "f:ownerReferences"], {
          where: `pod ${pod.metadata?.namespace}/${pod.metadata?.name}`,
          applied,
        }),
      )
      .find((each) => each !== undefined)
  );
}

/** @param made a field of whoever has made the object, or applied it */
function changedIn(
  metadata: V1ObjectMeta | undefined,
  pod: V1PodTemplateSpec | V1Pod,
  spec: FieldPath,
  made: FieldPath,
  { where, applied }: Pick<ChangedImage, "where" | "applied">,
): ChangedImage | undefined {
  const { name: container, image } = appContainer(pod) ?? {};
  if (container === undefined || image === undefined || image === applied) return undefined;
  const field = [...spec, "f:containers", `k:${JSON.stringify({ name: container })}`, "f:image"];
  if (isOneOwner(metadata, field, made)) return undefined;
  const { manager = "somebody", time } = ownerOf(metadata, field) ?? {};
  const at = time === undefined ? "" : ` at ${new Date(time).toISOString()}`;
  return { where, container, image, applied, by: `${manager}${at}` };
}

/** In a sentence without an end. */
export function describeChangedImage({ where, image, applied, by }: ChangedImage): string {
  return `${where} has ${image}, set by ${by}, and config gives it ${applied}`;
}

/** A field by the names of those that it is in, as the API server writes it into managedFields. */
type FieldPath = readonly string[];

/** Who has a field, and since when, as the API server keeps it; undefined where nobody has. */
function ownerOf(metadata: V1ObjectMeta | undefined, path: FieldPath): V1ManagedFieldsEntry | undefined {
  return metadata?.managedFields?.find(({ fieldsV1 }) => has(fieldsV1, path));
}

/** Whether somebody has both fields. Who has set one alone, since then, is not the one who has made the other. */
function isOneOwner(metadata: V1ObjectMeta | undefined, a: FieldPath, b: FieldPath): boolean {
  return metadata?.managedFields?.some(({ fieldsV1 }) => has(fieldsV1, a) && has(fieldsV1, b)) ?? false;
}

function has(fields: unknown, path: FieldPath): boolean {
  const found = path.reduce<unknown>(
    (within, name) =>
      typeof within === "object" && within !== null
        ? Object.entries(within).find(([each]) => each === name)?.[1]
        : undefined,
    fields,
  );
  return found !== undefined;
}
