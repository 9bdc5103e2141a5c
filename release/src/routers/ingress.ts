import { z } from "zod";
import { names } from "../app/names.js";
import { broken, ingressSubject, well } from "../util/finding.js";
import { shellWord } from "../util/shellWord.js";
import { misread, reads } from "./controllers.js";
import type { ClusterReader, RouteObject, Router, RouteRole, Way } from "./router.js";

/** What every Ingress has alike. */
export interface IngressParts<T> {
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
