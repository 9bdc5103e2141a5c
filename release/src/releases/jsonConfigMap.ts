import { ApiException, PatchStrategy, setHeaderOptions, type V1ConfigMap } from "../kubernetes/client.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { orUndefined } from "../kubernetes/orUndefined.js";

/** The data of a ConfigMap of the app; empty when there is none. */
export async function readData(cluster: Cluster, name: string): Promise<Record<string, string>> {
  const found = await orUndefined(cluster.core.readNamespacedConfigMap({ name, namespace: cluster.namespace }));
  return found?.data ?? {};
}

/**
 * Sets keys of a ConfigMap, and removes those that are null; makes it when there is none. Others
 * may change other keys at the same time: nothing is read first.
 */
export async function mergeData(cluster: Cluster, name: string, app: string, data: Record<string, string | null>): Promise<void> {
  const { core, namespace } = cluster;
  const patch = () => core.patchNamespacedConfigMap({ name, namespace, body: { data } }, setHeaderOptions("Content-Type", PatchStrategy.MergePatch));
  if ((await orUndefined(patch())) !== undefined) return;
  const body: V1ConfigMap = { metadata: { name, labels: { app } }, data: Object.fromEntries(Object.entries(data).flatMap(([key, value]) => (value === null ? [] : [[key, value]]))) };
  try {
    await core.createNamespacedConfigMap({ namespace, body });
  } catch (error) {
    if (!(error instanceof ApiException) || error.code !== 409) throw error;
    // Somebody else has made it meanwhile.
    await patch();
  }
}
