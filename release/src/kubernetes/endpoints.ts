import type { V1Endpoint } from "./client.js";
import type { Cluster } from "./cluster.js";
import type { NamespacedName } from "../app/namespaces.js";
import { withSignal } from "./withSignal.js";

export interface ReadyPod extends NamespacedName {
  /** The pod's own port behind the Service's port, as the EndpointSlice says. */
  port: number;
}

/**
 * The pods that a Service would send traffic to at this moment, each once: of two families of addresses, and
 * while slices are rewritten, one stands in several.
 */
export async function readyPodsBehind(
  cluster: Cluster,
  { namespace, name: service }: NamespacedName,
  signal?: AbortSignal,
): Promise<ReadyPod[]> {
  const slices = await cluster.discovery.listNamespacedEndpointSlice(
    { namespace, labelSelector: `kubernetes.io/service-name=${service}` },
    signal && withSignal(signal),
  );
  const found = slices.items.flatMap((slice) => {
    const port = slice.ports?.[0]?.port;
    if (port === undefined) return [];
    return (slice.endpoints ?? [])
      .filter(isReadyPod)
      .map(({ targetRef }): ReadyPod => ({ namespace, name: targetRef.name, port }));
  });
  return [...new Map(found.map((pod) => [pod.name, pod])).values()];
}

function isReadyPod(endpoint: V1Endpoint): endpoint is V1Endpoint & { targetRef: { name: string } } {
  // By the API's own rule an absent condition means ready.
  return (
    endpoint.conditions?.ready !== false &&
    endpoint.targetRef?.kind === "Pod" &&
    endpoint.targetRef.name !== undefined
  );
}
