import type { V1Pod } from "./client.js";
import type { Color } from "../color.js";
import { fetchText, NoAnswerError, type FetchBounds } from "../fetchText.js";
import { homeOf } from "../homes.js";
import { templateAnnotation } from "../names.js";
import { parseJson } from "../parseJson.js";
import type { Cluster } from "./cluster.js";
import type { NamespacedName } from "./namespacedName.js";
import { forwardPod } from "./portForward.js";
import { withSignal } from "./withSignal.js";

/**
 * Asks a pod's http port for a path, and gives the text of its answer, whatever its status.
 * @throws NoAnswerError when the pod does not run, does not answer, or answers beyond the bounds
 */
export type AskPod = (pod: V1Pod, path: string, bounds: FetchBounds) => Promise<string>;

/** For a process outside of the cluster: through the API server. */
export function askThroughForward(cluster: Cluster): AskPod {
  return async (pod, path, bounds) => {
    const { port, ...where } = whereToAsk(pod);
    const forwarded = await forwardPod(cluster, where, port);
    try {
      return (await fetchText(urlAt(forwarded.url, path), bounds)).text;
    } finally {
      forwarded.close();
    }
  };
}

/** For a process in the cluster: at the pod's own address, without a detour through the API server. */
export const askDirectly: AskPod = async (pod, path, bounds) => {
  const { port } = whereToAsk(pod);
  const ip = pod.status?.podIP;
  if (ip === undefined) throw new NoAnswerError("it has no address yet");
  const host = ip.includes(":") ? `[${ip}]` : ip;
  return (await fetchText(urlAt(`http://${host}:${port}`, path), bounds)).text;
};

/**
 * The path of a probe is its pod's, whoever has made that: it may lead to whatever that pod answers, and nowhere else.
 * @throws NoAnswerError when it names another server
 */
function urlAt(base: string, path: string): string {
  const url = URL.parse(path, base);
  if (url === null || url.origin !== new URL(base).origin) throw new NoAnswerError("its path leads to another server");
  return url.href;
}

function whereToAsk(pod: V1Pod): NamespacedName & { port: number } {
  const port = httpPort(pod);
  if (port === undefined) throw new NoAnswerError("it has no port named http");
  if (pod.status?.phase !== "Running") throw new NoAnswerError("it does not run");
  return { ...whereIs(pod), port };
}

const readyBounds: FetchBounds = { maxBytes: 64 * 1024, timeoutMs: 5000 };

/** What a pod answers where its readiness is asked, be it ready or not; undefined when it does not. */
export async function askReady(cluster: Cluster, pod: V1Pod): Promise<unknown> {
  const path = pod.spec?.containers.find(({ ports }) => ports?.some(({ name }) => name === "http"))?.readinessProbe?.httpGet?.path ?? "/ready";
  try {
    return parseJson(await askThroughForward(cluster)(pod, path, readyBounds));
  } catch {
    // It crashes or hangs: it says nothing.
    return undefined;
  }
}

/** The whole name of a pod that the API server has handed out. */
export function whereIs({ metadata }: V1Pod): NamespacedName {
  return { namespace: metadata?.namespace ?? "", name: metadata?.name ?? "" };
}

/** Where the app listens in its pod. */
export function httpPort({ spec }: V1Pod): number | undefined {
  return spec?.containers.flatMap(({ ports }) => ports ?? []).find(({ name }) => name === "http")?.containerPort;
}

export function isReady({ status }: V1Pod): boolean {
  return status?.conditions?.some(({ type, status: state }) => type === "Ready" && state === "True") === true;
}

/** All pods of a color, those of revisions before included, in one request. */
export async function podsOfColor(cluster: Cluster, { app, color }: { app: string; color: Color }, signal?: AbortSignal): Promise<V1Pod[]> {
  const pods = await cluster.core.listNamespacedPod({ namespace: homeOf(cluster, color), labelSelector: `app=${app},version=${color}` }, signal && withSignal(signal));
  return pods.items;
}

/** Pods of the revision before this one say nothing about the new image. */
export function runsTemplate({ metadata }: V1Pod, template: string): boolean {
  return metadata?.annotations?.[templateAnnotation] === template;
}

/** Neither over (evicted, completed) nor on its way out: such a pod serves nobody, and says nothing about the version. */
export function isCurrent({ metadata, status }: V1Pod): boolean {
  return metadata?.deletionTimestamp === undefined && status?.phase !== "Failed" && status?.phase !== "Succeeded";
}
