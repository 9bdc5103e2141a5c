import { containerAnnotation } from "../app/names.js";
import type { V1Container, V1Deployment, V1Pod, V1PodTemplateSpec } from "./client.js";

/**
 * The app's own among the containers of a pod, into which a mesh may have put others: the one that kubectl takes,
 * too.
 */
export function appContainer({ metadata, spec }: V1Pod | V1PodTemplateSpec): V1Container | undefined {
  const name = metadata?.annotations?.[containerAnnotation];
  return spec?.containers.find((each) => each.name === name) ?? spec?.containers[0];
}

/** The app's own image, as a Deployment asks for it. */
export function imageIn(deployment: V1Deployment | undefined): string | undefined {
  return deployment?.spec === undefined ? undefined : appContainer(deployment.spec.template)?.image;
}

/** Names of the objects that a container takes all of its variables from. */
export function sourcesOf({ envFrom = [] }: Pick<V1Container, "envFrom">): string[] {
  return envFrom.flatMap(({ configMapRef, secretRef }) => configMapRef?.name ?? secretRef?.name ?? []);
}
