import { CustomObjectsApi } from "../kubernetes/client.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { orUndefined } from "../kubernetes/orUndefined.js";
import type { ClusterReader } from "../routers/router.js";

/** The path of an object is the same for what Kubernetes brings and for what others have added. */
export function readerOf({ config }: Cluster): ClusterReader {
  const api = config.makeApiClient(CustomObjectsApi);
  return {
    async list(kind) {
      const found = (await orUndefined(api.listClusterCustomObject(kind))) as
        { items: unknown[] } | undefined;
      return found?.items ?? [];
    },
    read: ({ namespace, ...object }) =>
      orUndefined<unknown>(
        namespace === undefined
          ? api.getClusterCustomObject(object)
          : api.getNamespacedCustomObject({ ...object, namespace }),
      ),
    async serves({ group, version, plural }) {
      const found = await orUndefined(api.getAPIResources({ group, version }));
      return found?.resources.some(({ name }) => name === plural) ?? false;
    },
  };
}
