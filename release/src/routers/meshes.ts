import { namespaceOf, type ColorNamespaces } from "../app/namespaces.js";
import type { Color } from "../app/color.js";
import { names } from "../app/names.js";
import { literally, type RequestSeries } from "../app/requestSeries.js";
import { gatewayRequests, isGatewaySource } from "./gatewayRequests.js";
import type { TrafficStrategy } from "./router.js";
import { routers, type RouterName } from "./routers.js";

/** What is asked of what routes requests to the colors. */
interface Led extends ColorNamespaces {
  app: string;
  router: RouterName;
  strategy: TrafficStrategy;
}

/** Proxies beside the pods count by their Deployments. */
const meshes: Record<"istio" | "linkerd", Omit<RequestSeries, "labels"> & { labels: Labels }> = {
  istio: {
    name: "istio_request_duration_milliseconds",
    statusLabel: "response_code",
    labels: (deployment, namespace) => ({
      destination_workload: deployment,
      destination_workload_namespace: namespace,
      reporter: "destination",
    }),
  },
  linkerd: {
    name: "response_latency_ms",
    statusLabel: "status_code",
    labels: (deployment, namespace) => ({ deployment, namespace, direction: "inbound" }),
  },
};

type Source = "pods" | "router" | keyof typeof meshes | keyof typeof gatewayRequests;

type Labels = (deployment: string, namespace: string) => Record<string, string>;

/**
 * Where requests are counted that pods do not count themselves.
 * @returns undefined where config wants the figures of the pods alone, or nobody knows the router's
 */
export function seriesOf(
  { requestsFrom, noData }: { requestsFrom: Source; noData: string },
  led: Led,
): RequestSeries | undefined {
  if (requestsFrom === "pods" && noData !== "router") return undefined;
  if (requestsFrom === "pods" || requestsFrom === "router") return routers[led.router].requests?.(led);
  if (isGatewaySource(requestsFrom)) return gatewayRequests[requestsFrom].requests(led);
  const { labels, ...mesh } = meshes[requestsFrom];
  const of = (color: Color) =>
    labels(literally(names.deployment(led.app, color)), literally(namespaceOf(led, color)));
  return { ...mesh, labels: { blue: of("blue"), green: of("green") } };
}
