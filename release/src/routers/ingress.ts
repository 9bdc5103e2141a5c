import { z } from "zod";
import { names } from "../app/names.js";
import { shellWord } from "../util/bluegreenCommand.js";
import { broken, ingressSubject, well, advice, type Finding } from "../util/finding.js";
import type { ClusterReader, RouteObject, Router, RouteRole, Way } from "./router.js";

/** What every Ingress has alike. */
interface IngressParts<T> {
  name: string;
  roles: RouteRole[];
  annotations: Record<string, string | T>;
  defaults?: Record<string, string>;
  /** Whether requests come in by it, and not only by another one. @default true */
  isEntrance?: boolean;
  /** Those of an internal host have a certificate of their own. */
  hosts: string[];
  paths: IngressPath[];
}

export interface IngressPath {
  path: string;
  pathType: "Prefix" | "Exact" | "ImplementationSpecific";
  /** Name of a Service. */
  service: string;
  /** @default the Service's port http */
  port?: { name: string } | { number: number };
}

export function ingress<T>(
  way: Way<T>,
  className: string | undefined,
  { name, roles, annotations, defaults = {}, isEntrance = true, hosts, paths }: IngressParts<T>,
): RouteObject<T> {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    name,
    roles,
    defaults,
    ...(isEntrance && { isEntrance }),
    annotations: {
      ...(way.clusterIssuer !== undefined && { "cert-manager.io/cluster-issuer": way.clusterIssuer }),
      ...annotations,
    },
    spec: {
      ...(className !== undefined && { ingressClassName: className }),
      tls: [
        {
          hosts,
          secretName: hosts.includes(way.internalHost ?? "")
            ? names.internalTlsSecret(way.app)
            : way.tlsSecret,
        },
      ],
      rules: hosts.map((host) => ({
        host,
        http: {
          paths: paths.map(({ path, pathType, service, port = { name: "http" } }) => ({
            path,
            pathType,
            backend: { service: { name: service, port } },
          })),
        },
      })),
    },
  };
}

/** Other backends, as paths of an Ingress. */
export function otherPathsOf<T>({ otherPaths }: Way<T>): IngressPath[] {
  return otherPaths.map(({ port: number, ...path }) => ({ ...path, port: { number } }));
}

export const ingresses = { group: "networking.k8s.io", resources: ["ingresses"] };

const classes = { group: "networking.k8s.io", version: "v1", plural: "ingressclasses" };
const classSchema = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({ controller: z.string().optional() }).default({}),
});

/** How to find whoever reads an Ingress by its IngressClass. @param usual the name */
export function byClass(
  usual: string,
  router: string,
): Pick<Router, "makes" | "reads" | "isOffered" | "misread" | "examine" | "prompt"> {
  const list = async (reader: ClusterReader) => z.array(classSchema).parse(await reader.list(classes));
  return {
    makes: ingresses,
    reads: [{ group: "networking.k8s.io", resources: ["ingressclasses"], verbs: ["get", "list"] }],
    isOffered: async (reader) => (await list(reader)).some(({ spec }) => reads(spec.controller, router)),
    async misread(reader, { ingressClass: name = usual }) {
      const found = classSchema.safeParse(await reader.read({ ...classes, name })).data;
      return found && misread(name, found.spec.controller, router);
    },
    async examine(reader, { ingressClass: name = usual }) {
      const found = classSchema.safeParse(await reader.read({ ...classes, name })).data;
      if (found !== undefined)
        return (
          misread(name, found.spec.controller, router) ??
          well(ingressSubject, `IngressClass ${name} is there (${found.spec.controller ?? "no controller"})`)
        );
      const known = (await list(reader)).map(({ metadata }) => metadata.name);
      const [first] = known;
      return broken(
        ingressSubject,
        `there is no IngressClass ${name}: ${known.length === 0 ? "the cluster has none" : `it has ${known.join(", ")}`}`,
        first === undefined
          ? "install an ingress controller, or pulumi config set --path traffic.router with the router that this cluster has"
          : `pulumi config set ingressClass ${shellWord(first)}`,
      );
    },
    async prompt({ given: { ingressClass }, reader }) {
      const all = await list(reader);
      const readBy = all.filter(({ spec }) => reads(spec.controller, router));
      const known = (readBy.length > 0 ? readBy : all).map(({ metadata }) => metadata.name);
      return { ingressClass: ingressClass ?? (known.includes(usual) ? undefined : known[0]) };
    },
  };
}

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
function reads(controller: string | undefined, router: string): boolean {
  return controllers.some(({ named, router: own }) => own === router && named.test(controller ?? ""));
}

/**
 * What is wrong with the controller of an IngressClass; undefined where nothing is. To another one, the router's
 * annotations mean nothing, and two Ingresses of one host compete for its users.
 */
function misread(className: string, controller: string | undefined, router: string): Finding | undefined {
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
