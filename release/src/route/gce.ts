import { names } from "../names.js";
import { ingress } from "./ingress.js";
import type { Route } from "./route.js";

/**
 * GKE's own Ingress. One backend a path, no weights, no rewrites: users come to the active Service,
 * and nothing else can be said. GKE's Gateway controller can (`gateway`). Rendered and checked here,
 * not run.
 */
export const gce: Route = {
  kind: "gce",
  can: { colorPaths: false, previewHeader: false, previewCookie: false, affinityCookie: false, otherNamespaces: false },
  objects: (way) => [
    // By the old annotation: GKE does not read ingressClassName.
    ingress(way, undefined, {
      name: names.ingress(way.app),
      roles: ["users"],
      annotations: { "kubernetes.io/ingress.class": way.ingressClass ?? "gce" },
      host: way.host,
      paths: [{ path: "/", pathType: "Prefix", service: names.activeService(way.app) }],
    }),
  ],
  weights: undefined,
};
