import { advice, broken, ingressSubject, type Finding } from "../util/finding.js";

/** Controllers that read Ingresses, by how an IngressClass names them, and the router that each needs. */
const controllers: { named: RegExp; called: string; router?: string }[] = [
  { named: /ingress-nginx/, called: "ingress-nginx", router: "nginx" },
  {
    named: /^(?:ingress\.k8s\.aws|eks\.amazonaws\.com)\/alb$/,
    called: "the AWS load balancer controller",
    router: "alb",
  },
  { named: /^traefik\.io\//, called: "Traefik", router: "traefik" },
  { named: /^istio\.io\//, called: "Istio", router: "istio" },
  { named: /^nginx\.org\//, called: "the NGINX Ingress Controller of F5, which is not ingress-nginx" },
  { named: /konghq\.com\//, called: "Kong" },
  { named: /^haproxy\.org\/|^haproxy-ingress\.github\.io\//, called: "HAProxy" },
  { named: /^projectcontour\.io\//, called: "Contour" },
  { named: /^cilium\.io\//, called: "Cilium" },
  { named: /^openshift\.io\//, called: "OpenShift" },
  { named: /^azure\/application-gateway$/, called: "Azure's Application Gateway" },
];

/** Whether a controller reads what a router writes. */
export function reads(controller: string | undefined, router: string): boolean {
  return controllers.some(({ named, router: own }) => own === router && named.test(controller ?? ""));
}

/**
 * What is wrong with the controller of an IngressClass; undefined where nothing is. To another one, the router's
 * annotations mean nothing, and two Ingresses of one host compete for its users.
 */
export function misread(
  className: string,
  controller: string | undefined,
  router: string,
): Finding | undefined {
  if (reads(controller, router)) return undefined;
  const found = controllers.find(({ named }) => named.test(controller ?? ""));
  const rule = `the annotations of traffic.router ${router} mean nothing to it: users could get either color`;
  if (found === undefined)
    return advice(
      ingressSubject,
      `IngressClass ${className} names ${controller ?? "no controller"}, and it is unknown whether that reads the annotations of traffic.router ${router}`,
      "pulumi config set ingressClass with one whose controller does; kubectl get ingressclasses",
    );
  const { called, router: right } = found;
  return broken(
    ingressSubject,
    `IngressClass ${className} is read by ${called} (${controller}); ${rule}`,
    right === undefined
      ? "pulumi config set --path traffic.router gateway, where it takes the Gateway API, or pulumi config set ingressClass with one of another controller: kubectl get ingressclasses"
      : `pulumi config set --path traffic.router ${right}, or pulumi config set ingressClass with one of another controller: kubectl get ingressclasses`,
  );
}
