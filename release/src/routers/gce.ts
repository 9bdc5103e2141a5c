import { names } from "../app/names.js";
import { advice, ingressSubject } from "../util/finding.js";
import { ingress, ingresses, otherPathsOf } from "./ingress.js";
import { hostsOf, type Router } from "./router.js";

/** In a sentence: what a moved selector is to it. */
export const targetsMove =
  "where its load balancer holds the addresses of pods (NEG), a switch replaces all of them, and until the new ones are healthy it answers 502";

/**
 * GKE's own Ingress. One backend a path, no weights, no rewrites: requests go to the active Service,
 * and nothing else can be said. GKE's Gateway controller can (`gateway`). Rendered and checked here,
 * not run.
 */
export const gce: Router = {
  can: {
    colorPaths: false,
    previewHeader: false,
    previewCookie: false,
    affinityCookie: false,
    otherNamespaces: false,
    otherPaths: true,
  },
  objects: (way) => [
    // By the old annotation: GKE does not read ingressClassName.
    ingress(way, undefined, {
      name: names.ingress(way.app),
      roles: ["production"],
      annotations: { "kubernetes.io/ingress.class": way.ingressClass ?? "gce" },
      hosts: hostsOf(way),
      paths: [{ path: "/", pathType: "Prefix", service: names.activeService(way.app) }, ...otherPathsOf(way)],
    }),
  ],
  weights: undefined,
  makes: ingresses,
  reads: [],
  isOffered: () => Promise.resolve(false),
  examine: () =>
    Promise.resolve(
      advice(
        ingressSubject,
        `GKE's own controller reads Ingresses without an IngressClass: nothing in the cluster says whether it is there; ${targetsMove}`,
        "gcloud container clusters describe CLUSTER --format='value(addonsConfig.httpLoadBalancing)'; pulumi config set --path traffic.router gateway moves weights instead",
      ),
    ),
  prompt: ({ given: { ingressClass } }) => Promise.resolve({ ingressClass }),
};
