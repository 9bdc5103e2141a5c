import type { V1Endpoint } from "../kubernetes/client.js";
import type { Cluster } from "../kubernetes/cluster.js";
import type { NamespacedName } from "../kubernetes/namespacedName.js";
import { withSignal } from "../kubernetes/withSignal.js";

export interface ReadyPod extends NamespacedName {
  /** The pod's own port behind the Service's port, as the EndpointSlice says. */
  port: number;
}

/** The pods that a Service would send traffic to at this moment. */
export async function readyPodsBehind(cluster: Cluster, { namespace, name: service }: NamespacedName, signal?: AbortSignal): Promise<ReadyPod[]> {
  const slices = await cluster.discovery.listNamespacedEndpointSlice(
    { namespace, labelSelector: `kubernetes.io/service-name=${service}` },
    signal && withSignal(signal),
  );
  return slices.items.flatMap((slice) => {
    const port = slice.ports?.[0]?.port;
    if (port === undefined) return [];
    return (slice.endpoints ?? []).filter(isReadyPod).map(({ targetRef }) => ({ namespace, name: targetRef.name, port }));
  });
}

function isReadyPod(endpoint: V1Endpoint): endpoint is V1Endpoint & { targetRef: { name: string } } {
  // By the API's own rule an absent condition means ready.
  return endpoint.conditions?.ready !== false && endpoint.targetRef?.kind === "Pod" && endpoint.targetRef.name !== undefined;
}
