import { namespaceOf, colorNamespacesOf, type Color, type NamespacedName } from "../app/color.js";
import {
  asSelector,
  workersSelector,
  preflightLabel,
  templateAnnotation,
  workerLabel,
} from "../app/names.js";
import { fetchText, NoAnswerError, type FetchBounds } from "../util/http.js";
import { parseJson } from "../util/json.js";
import type { V1Pod, V1Endpoint } from "./client.js";
import type { Cluster } from "./cluster.js";
import { forwardPod } from "./portForward.js";
import { orUndefined, withSignal } from "./requests.js";

/** Bounds of an answer, and the port that it is asked at. @default the one named http */
type AskBounds = FetchBounds & { port?: number };

/**
 * Asks a pod for a path, and gives the text of its answer, whatever its status.
 * @throws NoAnswerError when the pod does not run, does not answer, or answers beyond the bounds
 */
export type AskPod = (pod: V1Pod, path: string, bounds: AskBounds) => Promise<string>;

/** For a process outside of the cluster: through the API server. */
export function askThroughForward(cluster: Cluster): AskPod {
  return async (pod, path, bounds) => {
    const { port, ...where } = whereToAsk(pod, bounds.port);
    const forwarded = await forwardPod(cluster, where, port);
    try {
      return await askAt(forwarded.url, path, bounds);
    } finally {
      forwarded.close();
    }
  };
}

/** For a process in the cluster: at the pod's own address, without a detour through the API server. */
export const askDirectly: AskPod = async (pod, path, bounds) => {
  const { port } = whereToAsk(pod, bounds.port);
  const ip = pod.status?.podIP;
  if (ip === undefined) throw new NoAnswerError("it has no address yet");
  const host = ip.includes(":") ? `[${ip}]` : ip;
  return askAt(`http://${host}:${port}`, path, bounds);
};

/** @param base where the pod's port is reached */
export async function askAt(base: string, path: string, bounds: FetchBounds): Promise<string> {
  return (await fetchText(urlAt(base, path), bounds)).text;
}

/**
 * The path of a probe is its pod's, whoever has made that: it may point to whatever that pod answers, and
 * nowhere else.
 * @throws NoAnswerError when it names another server
 */
function urlAt(base: string, path: string): string {
  const url = URL.parse(path, base);
  if (url === null || url.origin !== new URL(base).origin)
    throw new NoAnswerError("its path points to another server");
  return url.href;
}

/** @throws NoAnswerError when it does not run, or nothing tells at which port */
export function whereToAsk(pod: V1Pod, other?: number): NamespacedName & { port: number } {
  const port = other ?? httpPort(pod);
  if (port === undefined) throw new NoAnswerError("it has no port named http");
  if (pod.status?.phase !== "Running") throw new NoAnswerError("it does not run");
  return { ...whereIs(pod), port };
}

const readyBounds: FetchBounds = { maxBytes: 64 * 1024, timeoutMs: 5000 };

/** What a pod answers where its readiness is asked, be it ready or not; undefined when it does not. */
export async function askReady(cluster: Cluster, pod: V1Pod): Promise<unknown> {
  const container = pod.spec?.containers.find(({ ports }) => ports?.some(({ name }) => name === "http"));
  const { path = "/ready", port: at } = container?.readinessProbe?.httpGet ?? {};
  const port = typeof at === "number" ? at : container?.ports?.find(({ name }) => name === at)?.containerPort;
  const bounds = { ...readyBounds, ...(port !== undefined && { port }) };
  try {
    return parseJson(await askThroughForward(cluster)(pod, path, bounds));
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
  return spec?.containers.flatMap(({ ports }) => ports ?? []).find(({ name }) => name === "http")
    ?.containerPort;
}

export function isReady({ status }: V1Pod): boolean {
  return status?.conditions?.some(({ type, status: state }) => type === "Ready" && state === "True") === true;
}

/** All pods of a color, those of revisions before included, in one request. */
export async function podsOfColor(
  cluster: Cluster,
  { app, color }: { app: string; color: Color },
  signal?: AbortSignal,
): Promise<V1Pod[]> {
  const pods = await cluster.core.listNamespacedPod(
    { namespace: namespaceOf(cluster, color), labelSelector: `app=${app},version=${color}` },
    signal && withSignal(signal),
  );
  return pods.items;
}

/** All pods of a color, its workers' and others', that mount a ConfigMap and are not over, in one request. */
export async function podsMounting(cluster: Cluster, color: Color, configMap: string): Promise<V1Pod[]> {
  const { items } = await cluster.core.listNamespacedPod({
    namespace: namespaceOf(cluster, color),
    labelSelector: `version=${color}`,
  });
  return items.filter(
    (pod) => !isOver(pod) && pod.spec?.volumes?.some((each) => each.configMap?.name === configMap),
  );
}

/** Of a Job's pods, by Kubernetes itself: the Job's name. */
export const jobNameLabel = "batch.kubernetes.io/job-name";

/**
 * All pods of a color's workers, in one request.
 * @param workers their names. @default all, without the pods of CronJobs, which have the same label
 */
export async function podsOfWorkers(
  cluster: Cluster,
  { app, color }: { app: string; color: Color },
  workers?: readonly string[],
  signal?: AbortSignal,
): Promise<V1Pod[]> {
  const which =
    workers === undefined ? `${workerLabel},!${jobNameLabel}` : `${workerLabel} in (${workers.join(",")})`;
  const { items } = await cluster.core.listNamespacedPod(
    {
      namespace: namespaceOf(cluster, color),
      labelSelector: `${asSelector(workersSelector(app, color))},${which}`,
    },
    signal && withSignal(signal),
  );
  return items;
}

/** All preflight pods of an app. A killed update may have tried out the other color. */
async function preflightPods(cluster: Cluster, app: string): Promise<V1Pod[]> {
  const lists = await Promise.all(
    colorNamespacesOf(cluster).map((namespace) =>
      cluster.core.listNamespacedPod({ namespace, labelSelector: `${preflightLabel}=${app}` }),
    ),
  );
  return lists.flatMap(({ items }) => items);
}

function isStaying({ metadata }: V1Pod): boolean {
  return metadata?.deletionTimestamp === undefined;
}

/** Whether one runs, or was left by an update that was killed or could not remove it. */
export async function hasPreflightPods(cluster: Cluster, app: string): Promise<boolean> {
  return (await preflightPods(cluster, app)).some(isStaying);
}

/** Nobody is served by them: they need not drain. */
const graceSeconds = 1;

/**
 * Tells all preflight pods of an app to end, whoever has left them: for the update that has the lock of the
 * release, beside which none is being tried out.
 * @returns whether none is there any more
 */
export async function removePreflightPods(cluster: Cluster, app: string): Promise<boolean> {
  const pods = await preflightPods(cluster, app);
  await Promise.all(
    pods
      .filter(isStaying)
      .map((pod) =>
        orUndefined(cluster.core.deleteNamespacedPod({ ...whereIs(pod), gracePeriodSeconds: graceSeconds })),
      ),
  );
  return pods.length === 0;
}

/** Pods of the revision before this one say nothing about the new image. */
export function runsTemplate({ metadata }: V1Pod, template: string): boolean {
  return metadata?.annotations?.[templateAnnotation] === template;
}

/**
 * Neither over (evicted, completed) nor on its way out: such a pod serves nobody, and says nothing about the
 * version.
 */
export function isCurrent(pod: V1Pod): boolean {
  return isStaying(pod) && !isOver(pod);
}

/** Its containers have ended, and will not start again. */
export function isOver({ status }: V1Pod): boolean {
  return status?.phase === "Failed" || status?.phase === "Succeeded";
}

export interface ReadyPod extends NamespacedName {
  /** The pod's own port behind the Service's port, as the EndpointSlice says. */
  port: number;
}

/**
 * The pods that a Service would send traffic to at this moment, each once: of two families of addresses, and
 * while slices are rewritten, one stands in several.
 */
export async function readyPodsBehind(
  cluster: Cluster,
  { namespace, name: service }: NamespacedName,
  signal?: AbortSignal,
): Promise<ReadyPod[]> {
  const slices = await cluster.discovery.listNamespacedEndpointSlice(
    { namespace, labelSelector: `kubernetes.io/service-name=${service}` },
    signal && withSignal(signal),
  );
  const found = slices.items.flatMap((slice) => {
    const port = slice.ports?.[0]?.port;
    if (port === undefined) return [];
    return (slice.endpoints ?? [])
      .filter(isReadyPod)
      .map(({ targetRef }): ReadyPod => ({ namespace, name: targetRef.name, port }));
  });
  return [...new Map(found.map((pod) => [pod.name, pod])).values()];
}

function isReadyPod(endpoint: V1Endpoint): endpoint is V1Endpoint & { targetRef: { name: string } } {
  // By the API's own rule an absent condition means ready.
  return (
    endpoint.conditions?.ready !== false &&
    endpoint.targetRef?.kind === "Pod" &&
    endpoint.targetRef.name !== undefined
  );
}

/** A line of a log, as the kubelet gives it with its time. */
interface LogLine {
  /** In a form that compares as text. */
  time: string;
  text: string;
}

/** Undefined for a line without a time: the kubelet's own remarks, which are no lines of the app. */
export function readLogLine(line: string): LogLine | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d) /.exec(line);
  if (match === null) return undefined;
  const [stamp, second = "", fraction = "", zone = ""] = match;
  const seconds = Date.parse(`${second}${zone}`) / 1000;
  // Nodes may write their local time, and a Date has no nanoseconds.
  return Number.isNaN(seconds)
    ? undefined
    : {
        time: `${String(seconds).padStart(12, "0")}.${fraction.padEnd(9, "0")}`,
        text: line.slice(stamp.length),
      };
}
