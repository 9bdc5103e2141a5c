import { names } from "../app/names.js";
import { literally } from "../app/requestSeries.js";
import { istioEdge } from "./istio.js";
import { ledByService } from "./ledByService.js";
import type { Router } from "./router.js";

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
    requests: ledByService(
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
