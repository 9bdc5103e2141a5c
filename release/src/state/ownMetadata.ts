import { PatchStrategy, setHeaderOptions, type V1ConfigMap, type V1Lease } from "../kubernetes/client.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { orUndefined } from "../kubernetes/orUndefined.js";
import type { OwnMetadata } from "../app/labels.js";
import { names } from "../app/names.js";

const asApply = setHeaderOptions("Content-Type", PatchStrategy.ServerSideApply);
/** By this name the API server takes away what config no longer has, and nothing of anybody else's. */
const fieldManager = "bluegreen-metadata";

/**
 * Gives the ConfigMaps and Leases that steps have written the labels and annotations of config. What they hold stays:
 * whoever renews a Lease meanwhile reads it again.
 */
export async function labelRecords(cluster: Cluster, app: string, metadata: OwnMetadata): Promise<void> {
  const { core, coordination, namespace } = cluster;
  const applied = { namespace, fieldManager, force: true };
  for (const name of [names.release(app), names.history(app), names.incidents(app)]) {
    const found = await orUndefined(core.readNamespacedConfigMap({ name, namespace }));
    if (!isToChange(found, metadata)) continue;
    const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name, ...metadata } };
    await core.patchNamespacedConfigMap({ ...applied, name, body }, asApply);
  }
  for (const name of [names.releaseLease(app), names.analysisLease(app)]) {
    const found = await orUndefined(coordination.readNamespacedLease({ name, namespace }));
    if (!isToChange(found, metadata)) continue;
    const body = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name, ...metadata } };
    await coordination.patchNamespacedLease({ ...applied, name, body }, asApply);
  }
}

/** Where config has none now, those that it had go. */
function isToChange(
  found: V1ConfigMap | V1Lease | undefined,
  { labels, annotations }: OwnMetadata,
): found is V1ConfigMap | V1Lease {
  if (found === undefined) return false;
  const had = found.metadata?.managedFields?.some(({ manager }) => manager === fieldManager) === true;
  return had || Object.keys({ ...labels, ...annotations }).length > 0;
}
