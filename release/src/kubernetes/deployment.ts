import type { V1Deployment } from "./client.js";
import type { Color } from "../color.js";
import { homeOf } from "../homes.js";
import { names, templateAnnotation } from "../names.js";
import type { Cluster } from "./cluster.js";
import { orUndefined } from "./orUndefined.js";

/** A color's Deployment; undefined before its first release. */
export function readDeployment(cluster: Cluster, app: string, color: Color): Promise<V1Deployment | undefined> {
  return orUndefined(cluster.apps.readNamespacedDeployment({ name: names.deployment(app, color), namespace: homeOf(cluster, color) }));
}

/** Hash of the pod template that it has now; undefined where this program did not write it. */
export function templateOf(deployment: V1Deployment | undefined): string | undefined {
  return deployment?.spec?.template.metadata?.annotations?.[templateAnnotation];
}
