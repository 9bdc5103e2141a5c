import type { V1Pod } from "../kubernetes/client.js";
import { inOthers, type InCluster } from "../clusters/together.js";
import { isColor, type Color } from "../color.js";
import { homesOf } from "../homes.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { askReady, isReady } from "../kubernetes/pods.js";
import { names, templateAnnotation } from "../names.js";
import { parseRange, type SchemaRange } from "./range.js";

/** One version of the app that has pods in the cluster. */
export interface RunningVersion {
  color: Color;
  /** Hash of its pod template. */
  template: string;
  image: string;
  /** The application name of its database sessions; undefined when its pods have no PGAPPNAME. */
  sessionName: string | undefined;
  /** Undefined when it does not say, or cannot be asked. */
  range: SchemaRange | undefined;
  /** Of another cluster of the release. */
  cluster?: string;
}

/** Those of this cluster, and of the others of the release: they may share a database. @throws Refusal when one of the others does not answer */
export async function readVersionsEverywhere(cluster: Cluster, where: InCluster): Promise<RunningVersion[]> {
  const elsewhere = inOthers(where, async (other, { name }) => (await readRunningVersions(other, where.app)).map((version) => ({ ...version, cluster: name })));
  return [...(await readRunningVersions(cluster, where.app)), ...(await elsewhere).flat()];
}

/** The versions that have pods, of both colors; during a rolling update a color has two. Each is asked for its schema range. */
export async function readRunningVersions(cluster: Cluster, app: string): Promise<RunningVersion[]> {
  const lists = await Promise.all(homesOf(cluster).map((namespace) => cluster.core.listNamespacedPod({ namespace, labelSelector: `app=${app}` })));
  const byTemplate = new Map<string, V1Pod[]>();
  for (const pod of lists.flatMap(({ items }) => items).filter(({ status }) => status?.phase !== "Succeeded" && status?.phase !== "Failed")) {
    const key = `${pod.metadata?.labels?.["version"] ?? ""} ${templateOf(pod)}`;
    byTemplate.set(key, [...(byTemplate.get(key) ?? []), pod]);
  }
  return Promise.all([...byTemplate.values()].map((pods) => describe(cluster, pods)));
}

async function describe(cluster: Cluster, pods: V1Pod[]): Promise<RunningVersion> {
  // Any of them speaks for all: they run the same image. One that is ready is the most likely to answer.
  const pod = pods.find(isReady) ?? pods[0];
  const color = pod?.metadata?.labels?.["version"];
  if (pod === undefined || !isColor(color)) throw new Error(`pod ${pod?.metadata?.name ?? "?"} has no color`);
  const container = pod.spec?.containers.find(({ name }) => name === names.container);
  return {
    color,
    template: templateOf(pod),
    image: container?.image ?? "unknown",
    sessionName: container?.env?.find(({ name }) => name === "PGAPPNAME")?.value,
    range: parseRange(await askReady(cluster, pod)),
  };
}

function templateOf(pod: V1Pod): string {
  return pod.metadata?.annotations?.[templateAnnotation] ?? "";
}
