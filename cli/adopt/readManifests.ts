import { readFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";
import { connect, messageOf, UserError, type Cluster } from "@bluegreen/release";
import {
  AutoscalingV2Api,
  CustomObjectsApi,
  NetworkingV1Api,
  PolicyV1Api,
} from "@bluegreen/release/kubernetes/client";
import { orUndefined } from "@bluegreen/release/kubernetes/requests";
import type { Manifest } from "./manifests";

/** Where a cluster is asked, where none is named in a file. */
export interface Where {
  context?: string;
  namespace?: string;
}

/**
 * What a team runs today: `deployment/NAME` with what is around it in its namespace, or a file of manifests.
 * @throws UserError when there is no such thing
 */
export async function readManifests(source: string, where: Where): Promise<Manifest[]> {
  const name = /^deployments?(?:\.apps)?\/(.+)$/.exec(source)?.[1];
  return name === undefined ? manifestsIn(source) : readCluster(name, where);
}

function manifestsIn(file: string): Manifest[] {
  const refuse = (rule: string) =>
    new UserError({
      code: "BG-PATH-NOT-FOUND",
      what: `--from ${JSON.stringify(file)} was refused`,
      rule,
      next: "deployment/NAME for one of the cluster, or a file as kubectl apply takes it",
    });
  let documents;
  try {
    documents = parseAllDocuments(readFileSync(file, "utf8"));
  } catch (error) {
    throw refuse(messageOf(error));
  }
  const wrong = documents.flatMap(({ errors }) => errors)[0];
  if (wrong !== undefined) throw refuse(wrong.message);
  return documents.map((each) => each.toJS() as Manifest | null).filter((each) => each !== null);
}

async function readCluster(name: string, { context = "", namespace }: Where): Promise<Manifest[]> {
  const cluster = connect({ context, namespace: namespace ?? "default", namespacePerColor: false });
  const at = { namespace: cluster.namespace };
  const deployment = await orUndefined(cluster.apps.readNamespacedDeployment({ ...at, name }));
  if (deployment === undefined)
    throw new UserError({
      code: "BG-NOT-ADOPTABLE",
      what: `Nothing was adopted: there is no Deployment ${at.namespace}/${name}`,
      rule: `in context ${cluster.config.getCurrentContext()}`,
      next: "kubectl get deployments -A, then the same with --context and --namespace",
    });
  const around = await Promise.all([
    listed("Service", cluster.core.listNamespacedService(at)),
    listed("Ingress", cluster.config.makeApiClient(NetworkingV1Api).listNamespacedIngress(at)),
    listed(
      "HorizontalPodAutoscaler",
      cluster.config.makeApiClient(AutoscalingV2Api).listNamespacedHorizontalPodAutoscaler(at),
    ),
    listed(
      "PodDisruptionBudget",
      cluster.config.makeApiClient(PolicyV1Api).listNamespacedPodDisruptionBudget(at),
    ),
    listed("HTTPRoute", readRoutes(cluster)),
  ]);
  return [{ ...plain(deployment), kind: "Deployment" }, ...around.flat()];
}

/** None where the cluster has no such kind. */
async function readRoutes({ config, namespace }: Cluster): Promise<{ items: object[] }> {
  const kind = { group: "gateway.networking.k8s.io", version: "v1", plural: "httproutes" };
  const found = await orUndefined<unknown>(
    config.makeApiClient(CustomObjectsApi).listNamespacedCustomObject({ ...kind, namespace }),
  );
  return (found ?? { items: [] }) as { items: object[] };
}

/** Entries of a list do not say of what kind they are. */
async function listed(kind: string, list: Promise<{ items: object[] }>): Promise<Manifest[]> {
  return (await list).items.map((each) => ({ ...plain(each), kind }));
}

/** Without dates and classes. */
function plain(of: object): Manifest {
  return JSON.parse(JSON.stringify(of)) as Manifest;
}
