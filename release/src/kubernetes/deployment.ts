import type { V1Deployment } from "./client.js";
import { namespaceOf, type Color, type NamespacedName } from "../app/color.js";
import { names, templateAnnotation } from "../app/names.js";
import type { Cluster } from "./cluster.js";
import { asMergePatch, mergePatched } from "./patch.js";
import { orUndefined } from "./requests.js";

/** A color's Deployment; undefined before its first release. */
export function readDeployment(
  cluster: Cluster,
  app: string,
  color: Color,
): Promise<V1Deployment | undefined> {
  return orUndefined(
    cluster.apps.readNamespacedDeployment({
      name: names.deployment(app, color),
      namespace: namespaceOf(cluster, color),
    }),
  );
}

/** The Deployment of a worker; undefined where there is none yet. */
export function readWorker(
  cluster: Cluster,
  app: string,
  color: Color,
  worker: string,
): Promise<V1Deployment | undefined> {
  return orUndefined(
    cluster.apps.readNamespacedDeployment({
      name: names.worker(app, color, worker),
      namespace: namespaceOf(cluster, color),
    }),
  );
}

/** As an autoscaler does it: by the Deployment's scale, which then belongs to whoever has set it last. */
export async function scaleDeployment(cluster: Cluster, at: NamespacedName, replicas: number): Promise<void> {
  await mergePatched(() =>
    cluster.apps.patchNamespacedDeploymentScale({ ...at, body: { spec: { replicas } } }, asMergePatch),
  );
}

export function scaleWorker(
  cluster: Cluster,
  { app, color, name }: { app: string; color: Color; name: string },
  replicas: number,
): Promise<void> {
  const at = { namespace: namespaceOf(cluster, color), name: names.worker(app, color, name) };
  return scaleDeployment(cluster, at, replicas);
}

/** Hash of the pod template that it has now; undefined where this program did not write it. */
export function templateOf(deployment: V1Deployment | undefined): string | undefined {
  return deployment?.spec?.template.metadata?.annotations?.[templateAnnotation];
}

/**
 * Why no pod of it can be made: Quota, Pod Security and other admission. No pod appears then, and the reason is in
 * a condition alone.
 */
export function replicaFailureOf(deployment: V1Deployment | undefined): string | undefined {
  const failure = deployment?.status?.conditions?.find(
    ({ type, status }) => type === "ReplicaFailure" && status === "True",
  );
  return failure && (failure.message ?? failure.reason ?? "ReplicaFailure");
}
