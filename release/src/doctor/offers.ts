import { CustomObjectsApi, NetworkingV1Api } from "../kubernetes/client.js";
import { z } from "zod";
import type { Cluster } from "../kubernetes/cluster.js";
import { orUndefined } from "../kubernetes/orUndefined.js";
import type { RouteKind } from "../route/route.js";

/** What a cluster has for a way in, for somebody who writes a stack's first config. */
export interface Offers {
  /** The kinds of route that something in the cluster reads. */
  routes: RouteKind[];
  ingressClasses: string[];
  /** As config wants them: NAMESPACE/NAME. */
  gateways: string[];
  clusterIssuers: string[];
}

/** How controllers call themselves in their IngressClass. */
const controllers: Record<string, RouteKind> = { "k8s.io/ingress-nginx": "nginx", "traefik.io/ingress-controller": "traefik", "ingress.k8s.aws/alb": "alb" };

/** Reads nothing but names. */
export async function readOffers({ config }: Cluster): Promise<Offers> {
  const custom = config.makeApiClient(CustomObjectsApi);
  const [{ items: classes }, gateways, clusterIssuers] = await Promise.all([
    config.makeApiClient(NetworkingV1Api).listIngressClass(),
    namesIn(custom.listCustomObjectForAllNamespaces({ group: "gateway.networking.k8s.io", version: "v1", resourcePlural: "gateways" })),
    namesIn(custom.listClusterCustomObject({ group: "cert-manager.io", version: "v1", plural: "clusterissuers" })),
  ]);
  const read = classes.flatMap(({ spec }) => controllers[spec?.controller ?? ""] ?? []);
  return {
    routes: [...new Set<RouteKind>([...read, ...(gateways.length > 0 ? (["gateway"] as const) : [])])],
    ingressClasses: classes.flatMap(({ metadata }) => metadata?.name ?? []),
    gateways,
    clusterIssuers,
  };
}

const listSchema = z.object({ items: z.array(z.object({ metadata: z.object({ name: z.string(), namespace: z.string().optional() }) })) });

/** None where the cluster does not know the kind. */
async function namesIn(list: Promise<unknown>): Promise<string[]> {
  const found = listSchema.safeParse(await orUndefined(list)).data;
  return found?.items.map(({ metadata: { name, namespace } }) => (namespace === undefined ? name : `${namespace}/${name}`)) ?? [];
}
