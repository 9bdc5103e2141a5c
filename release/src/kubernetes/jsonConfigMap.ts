import { ApiException, type V1ConfigMap } from "./client.js";
import type { Cluster } from "./cluster.js";
import { asMergePatch, mergePatched } from "./patch.js";
import { orUndefined } from "./requests.js";
import { poll } from "../util/poll.js";

/** The data of a ConfigMap of the app; empty when there is none. */
export async function readData(cluster: Cluster, name: string): Promise<Record<string, string>> {
  const found = await orUndefined(
    cluster.core.readNamespacedConfigMap({ name, namespace: cluster.namespace }),
  );
  return found?.data ?? {};
}

/**
 * Sets keys of a ConfigMap, and removes those that are null; makes it when there is none. Others
 * may change other keys at the same time: nothing is read first.
 */
export async function mergeData(
  cluster: Cluster,
  name: string,
  labels: Record<string, string>,
  data: Record<string, string | null>,
): Promise<void> {
  const { core, namespace } = cluster;
  const patch = () =>
    mergePatched(() => core.patchNamespacedConfigMap({ name, namespace, body: { data } }, asMergePatch));
  const body: V1ConfigMap = {
    metadata: { name, labels },
    data: Object.fromEntries(
      Object.entries(data).flatMap(([key, value]) => (value === null ? [] : [[key, value]])),
    ),
  };
  const set = async () => {
    if ((await orUndefined(patch())) !== undefined) return true;
    try {
      await core.createNamespacedConfigMap({ namespace, body });
      return true;
    } catch (error) {
      if (!(error instanceof ApiException) || error.code !== 409) throw error;
      // Somebody else has made it meanwhile, or this one, and the answer was lost.
      return undefined;
    }
  };
  await poll(set, { timeoutMs: makeMs });
}

/** For others who make it, or remove it, at the same moment. */
const makeMs = 5000;
