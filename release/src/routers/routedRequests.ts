import { namespaceOf, type ColorNamespaces, type Color } from "../app/color.js";
import { names } from "../app/names.js";
import { literally, type RequestSeries } from "../app/requestSeries.js";
import { requestsByService } from "./services.js";
import { istioEdge } from "./istio.js";
import type { Router, TrafficStrategy } from "./router.js";
import { routers, type RouterName } from "./routers.js";

type Source = "pods" | "router" | keyof typeof meshes | keyof typeof gatewayRequests;

/** What is asked of what routes requests to the colors. */
interface Routing extends ColorNamespaces {
  app: string;
  router: RouterName;
  strategy: TrafficStrategy;
}

/**
 * Where requests are counted that pods do not count themselves.
 * @returns undefined where config wants the figures of the pods alone, or nobody knows the router's
 */
export function seriesOf(
  { requestsFrom, noData }: { requestsFrom: Source; noData: string },
  routing: Routing,
): RequestSeries | undefined {
  if (requestsFrom === "pods" && noData !== "router") return undefined;
  if (requestsFrom === "pods" || requestsFrom === "router")
    return routers[routing.router].requests?.(routing);
  if (isGatewaySource(requestsFrom)) return gatewayRequests[requestsFrom].requests(routing);
  const { labels, ...mesh } = meshes[requestsFrom];
  const of = (color: Color) =>
    labels(literally(names.deployment(routing.app, color)), literally(namespaceOf(routing, color)));
  return { ...mesh, labels: { blue: of("blue"), green: of("green") } };
}

/** How an implementation of the Gateway API counts what it has routed to a color. */
interface GatewayRequests {
  requests: NonNullable<Router["requests"]>;
  /** It counts all backends of a rule together: only the time of the switch tells two colors apart. */
  countsByRule?: true;
}

/**
 * Whoever implements the Gateway API has metrics of its own; a route does not say who that is, so config does. NGINX
 * Gateway Fabric 2 is none of them: it counts connections and requests of all routes together, without a status.
 */
export const gatewayRequests: Record<"envoyGateway" | "istioGateway" | "traefikGateway", GatewayRequests> = {
  // Of Envoy Gateway 1.9: internal/gatewayapi/helpers.go names the cluster of a rule, and one of its backends where
  // a zone is preferred; internal/ir/xds.go (NeedsClusterPerSetting) says when backends have clusters of their own.
  envoyGateway: {
    requests: ({ app, namespace }) => {
      const rule = `httproute/${literally(namespace)}/${literally(names.ingress(app))}/rule/0(/backend/0)?`;
      const labels = { envoy_cluster_name: rule };
      return {
        name: "envoy_cluster_upstream_rq_time",
        unit: 1000,
        counter: "envoy_cluster_upstream_rq",
        statusLabel: "envoy_response_code",
        labels: { blue: labels, green: labels },
      };
    },
    countsByRule: true,
  },
  istioGateway: { requests: istioEdge },
  // Of Traefik 3.7: <router>-svc-<namespace>-<name>-<index> (pkg/provider/kubernetes/gateway/httproute.go); before,
  // <namespace>-<name>-http-<port>.
  traefikGateway: {
    requests: requestsByService(
      { name: "traefik_service_request_duration_seconds", statusLabel: "code" },
      ({ namespace, name }) => ({
        service: `(.*-svc-)?${literally(namespace)}-${literally(name)}-(http-)?\\d+@kubernetesgateway`,
      }),
    ),
  },
};

export function isGatewaySource(source: string): source is keyof typeof gatewayRequests {
  return Object.hasOwn(gatewayRequests, source);
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

type Labels = (deployment: string, namespace: string) => Record<string, string>;
