import { CustomObjectsApi, NetworkingV1Api } from "../kubernetes/client.js";
import { z } from "zod";
import type { Cluster } from "../kubernetes/cluster.js";
import { orUndefined } from "../kubernetes/orUndefined.js";
import type { Settings } from "../settings/settings.js";
import { shellWord } from "../shellWord.js";
import { advice, broken, well, type Finding } from "./finding.js";
import { serves } from "./served.js";

type Asked = Pick<Settings, "traffic" | "ingressClass" | "clusterIssuer">;

/** Whether the controller is there that users are to come in by, and who makes the host's certificate. */
export async function examineWayIn(cluster: Cluster, settings: Asked): Promise<Finding[]> {
  return [...(await examineController(cluster, settings)), ...(await examineIssuer(cluster, settings))];
}

async function examineController(cluster: Cluster, { traffic: { route, gateway }, ingressClass }: Asked): Promise<Finding[]> {
  switch (route) {
    case "nginx":
    case "alb":
      return [await examineClass(cluster, ingressClass ?? route)];
    case "gce":
      return [advice("way in", "GKE's own controller reads Ingresses without an IngressClass: nothing in the cluster says whether it is there", "gcloud container clusters describe CLUSTER --format='value(addonsConfig.httpLoadBalancing)'")];
    case "traefik":
      return [(await serves(cluster, "traefik.io", "v1alpha1", "ingressroutes")) ? well("way in", "Traefik's resources are there") : broken("way in", "the cluster knows no ingressroutes.traefik.io", "install Traefik v3 with its CRDs, or pulumi config set --path traffic.route with what is there")];
    case "gateway":
      return [await examineGateway(cluster, gateway)];
  }
}

async function examineClass({ config }: Cluster, name: string): Promise<Finding> {
  const api = config.makeApiClient(NetworkingV1Api);
  const found = await orUndefined(api.readIngressClass({ name }));
  if (found !== undefined) return well("way in", `IngressClass ${name} is there (${found.spec?.controller ?? "no controller"})`);
  const { items } = await api.listIngressClass();
  const known = items.flatMap(({ metadata }) => metadata?.name ?? []);
  const [first] = known;
  return broken("way in", `there is no IngressClass ${name}: ${known.length === 0 ? "the cluster has none" : `it has ${known.join(", ")}`}`, first === undefined ? "install an ingress controller, or pulumi config set --path traffic.route with what users come in by" : `pulumi config set ingressClass ${shellWord(first)}`);
}

const gatewaySchema = z.object({ spec: z.object({ listeners: z.array(z.object({ name: z.string() })) }), status: conditions() });

async function examineGateway(cluster: Cluster, at: string): Promise<Finding> {
  const [namespace = "", name = "", listener] = at.split("/");
  const found = gatewaySchema.safeParse(await orUndefined(cluster.config.makeApiClient(CustomObjectsApi).getNamespacedCustomObject({ group: "gateway.networking.k8s.io", version: "v1", plural: "gateways", namespace, name }))).data;
  if (found === undefined) return broken("way in", `there is no Gateway ${namespace}/${name}`, `kubectl get gateways --all-namespaces, then pulumi config set --path traffic.gateway NAMESPACE/NAME`);
  const known = found.spec.listeners.map((each) => each.name);
  if (listener !== undefined && !known.includes(listener)) return broken("way in", `Gateway ${namespace}/${name} has no listener ${listener}, only ${known.join(", ")}`, `pulumi config set --path traffic.gateway ${shellWord(`${namespace}/${name}/${known[0] ?? "LISTENER"}`)}`);
  if (!holds(found.status, "Programmed")) return broken("way in", `Gateway ${namespace}/${name} is not programmed: no controller has taken it`, `kubectl -n ${namespace} describe gateway ${name}`);
  return well("way in", `Gateway ${namespace}/${name} is programmed`);
}

const issuerSchema = z.object({ status: conditions() });

/** With a Gateway, whoever made it has the certificate. */
async function examineIssuer(cluster: Cluster, { traffic: { route }, clusterIssuer: name }: Asked): Promise<Finding[]> {
  if (route === "gateway") return [];
  if (name === undefined) return [well("certificate", "config says that somebody else makes it")];
  if (!(await serves(cluster, "cert-manager.io", "v1", "clusterissuers"))) return [broken("certificate", `ClusterIssuer ${name} is wanted, and cert-manager is not in the cluster`, "install cert-manager, or pulumi config set clusterIssuer none and make the TLS Secret yourself")];
  const api = cluster.config.makeApiClient(CustomObjectsApi);
  const found = issuerSchema.safeParse(await orUndefined(api.getClusterCustomObject({ group: "cert-manager.io", version: "v1", plural: "clusterissuers", name }))).data;
  if (found === undefined) return [broken("certificate", `there is no ClusterIssuer ${name}`, "kubectl get clusterissuers, then pulumi config set clusterIssuer NAME")];
  return [holds(found.status, "Ready") ? well("certificate", `ClusterIssuer ${name} is ready`) : broken("certificate", `ClusterIssuer ${name} is not ready`, `kubectl describe clusterissuer ${name}`)];
}

function conditions() {
  return z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]) }).default({ conditions: [] });
}

function holds(status: z.output<ReturnType<typeof conditions>>, type: string): boolean {
  return status.conditions.some((condition) => condition.type === type && condition.status === "True");
}
