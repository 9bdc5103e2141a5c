import { join } from "node:path";
import { logFile, type Component } from "../cluster/components";
import { componentKubeconfig } from "../cluster/configuration";
import { network, type Layout } from "../cluster/layout";

/** Name of the component, and of what it goes by in the cluster. */
export const edgeName = "edge";

/** Classes that an Ingress names: Traefik's own, and what ingress-nginx would serve. */
export const ingressClasses = {
  traefik: "traefik.io/ingress-controller",
  nginx: "k8s.io/ingress-nginx",
} as const;

/**
 * How long Traefik collects changes before it acts on them. Its own default of 2 s
 * would hide how quickly a release moves traffic; a cloud's load balancer has seconds, too.
 */
const throttle = "50ms";

/**
 * Traefik, for all that a route can be: Ingress, Ingress with nginx' annotations, Gateway API, its own
 * resources.
 */
export function traefik(paths: Layout, program: string): Component {
  const settings = {
    "global.checkNewVersion": "false",
    "global.sendAnonymousUsage": "false",
    "log.level": "INFO",
    "log.noColor": "true",
    "entryPoints.web.address": `${network.node}:80`,
    "entryPoints.websecure.address": `${network.node}:443`,
    "entryPoints.websecure.http.tls": "true",
    // Names that CGI-like servers would take for headers of the edge's own; nginx drops them as well.
    "entryPoints.web.http.aliasHeadersStrategy": "delete",
    "entryPoints.websecure.http.aliasHeadersStrategy": "delete",
    "entryPoints.metrics.address": `${network.node}:${String(network.edgeMetricsPort)}`,
    "metrics.prometheus": "true",
    "metrics.prometheus.entryPoint": "metrics",
    "metrics.prometheus.addServicesLabels": "true",
    "providers.providersThrottleDuration": throttle,
    "providers.kubernetesIngress": "true",
    "providers.kubernetesIngress.ingressEndpoint.ip": network.node,
    // A color without pods answers 503, as at any load balancer; else its host would be unknown.
    "providers.kubernetesIngress.allowEmptyServices": "true",
    "providers.kubernetesIngress.strictPrefixMatching": "true",
    "providers.kubernetesIngressNGINX": "true",
    "providers.kubernetesIngressNGINX.publishStatusAddress": network.node,
    "providers.kubernetesIngressNGINX.httpEntryPoint": "web",
    "providers.kubernetesIngressNGINX.httpsEntryPoint": "websecure",
    "providers.kubernetesGateway": "true",
    "providers.kubernetesGateway.statusAddress.ip": network.node,
    "providers.kubernetesCRD": "true",
    "providers.kubernetesCRD.safeNaming": "true",
    "providers.kubernetesCRD.allowCrossNamespace": "true",
    "providers.kubernetesCRD.allowEmptyServices": "true",
    "providers.kubernetesCRD.allowExternalNameServices": "true",
  };
  return {
    name: edgeName,
    argv: [
      join(program, "traefik"),
      ...Object.entries(settings).map(([name, value]) => `--${name}=${value}`),
    ],
    env: { HOME: "/", KUBECONFIG: componentKubeconfig(paths, edgeName) },
    log: logFile(paths, edgeName),
    uid: 0,
    gid: 0,
    waitFor: [],
  };
}
