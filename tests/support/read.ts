import { namespaceOf, type Cluster, type Color } from "@bluegreen/release";

/** The color the active Service selects, as the cluster says. */
export async function liveColor(cluster: Cluster): Promise<string | undefined> {
  const service = await cluster.core.readNamespacedService({
    name: "chatgpt-app-service",
    namespace: cluster.namespace,
  });
  return service.spec?.selector?.["version"];
}

/** Names of a color's pods that are not going away: a pod that was replaced has another name. */
export async function podsOf(cluster: Cluster, color: Color): Promise<string[]> {
  const pods = await cluster.core.listNamespacedPod({
    namespace: namespaceOf(cluster, color),
    labelSelector: `app=chatgpt-app,version=${color}`,
  });
  return pods.items
    .filter(({ metadata, status }) => metadata?.deletionTimestamp === undefined && status?.phase !== "Failed")
    .map(({ metadata }) => metadata?.name ?? "")
    .sort();
}

/** The image each color's Deployment asks for. */
export async function imageOf(cluster: Cluster, color: Color): Promise<string | undefined> {
  const deployment = await cluster.apps.readNamespacedDeployment({
    name: `chatgpt-app-${color}`,
    namespace: namespaceOf(cluster, color),
  });
  return deployment.spec?.template.spec?.containers[0]?.image;
}

/** The text of what a promise fails with. @throws Error when it does not fail */
export async function failureOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error("it succeeded");
}
