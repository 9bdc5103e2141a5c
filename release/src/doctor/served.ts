import { CustomObjectsApi } from "../kubernetes/client.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { orUndefined } from "../kubernetes/orUndefined.js";

/** Whether the API server answers for a resource that something else has brought along. */
export async function serves({ config }: Cluster, group: string, version: string, resource: string): Promise<boolean> {
  const found = await orUndefined(config.makeApiClient(CustomObjectsApi).getAPIResources({ group, version }));
  return found?.resources.some(({ name }) => name === resource) ?? false;
}
