import type { Cluster, Color } from "@bluegreen/release";

/** What a bare `kubectl patch` does: no gate, no mark, no history. */
export async function patchSelector(cluster: Cluster, version: Color): Promise<void> {
  const name = "chatgpt-app-service";
  const service = await cluster.core.readNamespacedService({ name, namespace: cluster.namespace });
  if (service.spec === undefined) throw new Error("the active Service has no spec");
  service.spec.selector = { app: "chatgpt-app", version };
  await cluster.core.replaceNamespacedService({ name, namespace: cluster.namespace, body: service });
}
