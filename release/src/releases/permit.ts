import { PatchStrategy, setHeaderOptions } from "@kubernetes/client-node";
import type { Color } from "../color.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { names, permitAnnotation } from "../names.js";

export async function writePermit(cluster: Cluster, app: string, color: Color, switchId: string): Promise<void> {
  await cluster.apps.patchNamespacedDeployment(
    { name: names.deployment(app, color), namespace: cluster.namespace, body: { metadata: { annotations: { [permitAnnotation]: switchId } } } },
    setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
  );
}
