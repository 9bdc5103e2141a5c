/** Waiting until an object is in working order, kind by kind, as the real provider does. */
import { setTimeout as delay } from "node:timers/promises";
import { EngineError } from "../errors";
import type { Json } from "../wire";
import type { Cluster } from "./cluster";
import { annotation, condition, describe, dig, digList, digNumber, digText, type JsonObject, referenceOf } from "./objects";

const DEFAULT_TIMEOUT_SECONDS = 600;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1_000;

export interface Waiting {
  timeoutSeconds: number;
  progress(text: string): void;
  signal: AbortSignal;
}

/** A field as text; nothing for one that is not there. */
const say = (json: Json | undefined): string => (typeof json === "string" ? json : json === undefined ? "" : JSON.stringify(json));

/** Undefined: ready. Otherwise what is missing. */
type Readiness = string | undefined;
type Check = (object: JsonObject, cluster: Cluster) => Readiness | Promise<Readiness>;

/** It will not get there by waiting longer. */
class Hopeless extends Error {}

function generationLag(object: JsonObject): Readiness {
  const wanted = digNumber(object, "metadata", "generation");
  const seen = digNumber(object, "status", "observedGeneration");
  return seen < wanted ? `waiting for generation ${wanted} to be seen (now ${seen})` : undefined;
}

/** What the pods of a workload say about themselves: the reason behind a rollout that does not move. */
async function podProblems(object: JsonObject, cluster: Cluster): Promise<string[]> {
  const labels = dig(object, "spec", "selector", "matchLabels");
  if (typeof labels !== "object" || labels === null) return [];
  const selector = Object.entries(labels).map(([key, value]) => `${key}=${say(value)}`).join(",");
  const pods = await cluster.list("v1", "Pod", referenceOf(object).namespace, selector);
  const problems = pods.flatMap((pod) =>
    ["initContainerStatuses", "containerStatuses"].flatMap((list) =>
      digList(pod, "status", list).flatMap((container) => {
        const waiting = dig(container, "state", "waiting");
        const reason = digText(waiting, "reason");
        if (reason === undefined || reason === "ContainerCreating" || reason === "PodInitializing") return [];
        const said = digText(waiting, "message");
        return [`pod ${referenceOf(pod).name}: container ${say(container["name"])}: [${reason}]${said === undefined ? "" : ` ${said}`}`];
      }),
    ),
  );
  const unscheduled = pods.flatMap((pod) => {
    const scheduled = condition(pod, "PodScheduled");
    return scheduled?.["status"] === "False" ? [`pod ${referenceOf(pod).name}: [${say(scheduled["reason"])}] ${say(scheduled["message"])}`] : [];
  });
  return [...problems, ...unscheduled];
}

async function deployment(object: JsonObject, cluster: Cluster): Promise<Readiness> {
  const lag = generationLag(object);
  if (lag !== undefined || dig(object, "spec", "paused") === true) return lag;
  const progressing = condition(object, "Progressing");
  const wanted = digNumber(object, "spec", "replicas");
  const updated = digNumber(object, "status", "updatedReplicas");
  const available = digNumber(object, "status", "availableReplicas");
  const total = digNumber(object, "status", "replicas");
  if (progressing?.["reason"] === "ProgressDeadlineExceeded" || condition(object, "ReplicaFailure")?.["status"] === "True") {
    const said = condition(object, "ReplicaFailure")?.["message"] ?? progressing?.["message"] ?? "";
    throw new Hopeless([say(said), ...(await podProblems(object, cluster))].join("\n"));
  }
  const complete = progressing === undefined || progressing["reason"] === "NewReplicaSetAvailable" || wanted === 0;
  if (complete && updated >= wanted && available >= wanted && total === updated) return undefined;
  return `waiting for the rollout: ${available} of ${wanted} replicas available, ${updated} updated, ${total - updated} old`;
}

function statefulSet(object: JsonObject): Readiness {
  const lag = generationLag(object);
  if (lag !== undefined) return lag;
  const wanted = digNumber(object, "spec", "replicas");
  const ready = digNumber(object, "status", "readyReplicas");
  const current = dig(object, "status", "currentRevision") === dig(object, "status", "updateRevision");
  return ready >= wanted && current ? undefined : `waiting for the rollout: ${ready} of ${wanted} replicas ready`;
}

function daemonSet(object: JsonObject): Readiness {
  const lag = generationLag(object);
  if (lag !== undefined) return lag;
  const wanted = digNumber(object, "status", "desiredNumberScheduled");
  const updated = digNumber(object, "status", "updatedNumberScheduled");
  const available = digNumber(object, "status", "numberAvailable");
  return updated >= wanted && available >= wanted ? undefined : `waiting for the rollout: ${available} of ${wanted} pods available`;
}

function job(object: JsonObject): Readiness {
  const failed = condition(object, "Failed");
  if (failed?.["status"] === "True") throw new Hopeless(`the job failed: [${say(failed["reason"])}] ${say(failed["message"])}`);
  return condition(object, "Complete")?.["status"] === "True" ? undefined : "waiting for the job to complete";
}

function pod(object: JsonObject): Readiness {
  const phase = digText(object, "status", "phase");
  if (phase === "Failed") throw new Hopeless(`the pod failed: ${digText(object, "status", "message") ?? ""}`);
  if (phase === "Succeeded" || condition(object, "Ready")?.["status"] === "True") return undefined;
  return `waiting for the pod to be ready (now ${phase ?? "without a phase"})`;
}

const loadBalancer = (object: JsonObject): Readiness =>
  digList(object, "status", "loadBalancer", "ingress").length > 0 ? undefined : "waiting for a load balancer address";

/**
 * Ready endpoints, or none that are on their way: a Service that selects nothing is in order, as the real
 * provider sees it. (That is why a Service's await is no gate.)
 */
async function service(object: JsonObject, cluster: Cluster): Promise<Readiness> {
  const type = digText(object, "spec", "type");
  if (type === "ExternalName" || dig(object, "spec", "selector") === undefined) return undefined;
  const { name, namespace } = referenceOf(object);
  const slices = await cluster.list("discovery.k8s.io/v1", "EndpointSlice", namespace, `kubernetes.io/service-name=${name}`);
  if (slices.length === 0) return "waiting for endpoints";
  const endpoints = slices.flatMap((slice) => digList(slice, "endpoints"));
  const ready = endpoints.filter((endpoint) => dig(endpoint, "conditions", "ready") !== false);
  if (ready.length === 0 && endpoints.length > 0) return `waiting for one of ${endpoints.length} endpoints to be ready`;
  return type === "LoadBalancer" ? loadBalancer(object) : undefined;
}

const CHECKS: Record<string, Check> = {
  "apps/v1 Deployment": deployment,
  "apps/v1 StatefulSet": statefulSet,
  "apps/v1 DaemonSet": daemonSet,
  "batch/v1 Job": job,
  "v1 Pod": pod,
  "v1 Service": service,
  "networking.k8s.io/v1 Ingress": loadBalancer,
};

function deadlineOf(object: JsonObject, waiting: Waiting): number {
  const seconds = waiting.timeoutSeconds || Number(annotation(object, "pulumi.com/timeoutSeconds") ?? 0) || DEFAULT_TIMEOUT_SECONDS;
  return Date.now() + seconds * 1000;
}

interface Poll<T> {
  what: string;
  deadline: number;
  waiting: Waiting;
  /** The result, or what is still missing. */
  look: () => Promise<{ done: T } | { missing: string }>;
}

async function poll<T>({ what, deadline, waiting, look }: Poll<T>): Promise<T> {
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
    const seen = await look();
    if ("done" in seen) return seen.done;
    waiting.progress(seen.missing);
    if (Date.now() > deadline) throw new EngineError(`timeout: ${what} is not in order: ${seen.missing}`);
    if (waiting.signal.aborted) throw new EngineError(`canceled while waiting for ${what}: ${seen.missing}`);
    await delay(pause);
  }
}

/** The object as it is when ready. Throws with what is missing at the deadline, or at once when waiting cannot help. */
export async function untilReady(cluster: Cluster, applied: JsonObject, waiting: Waiting): Promise<JsonObject> {
  const reference = referenceOf(applied);
  const check = CHECKS[`${reference.apiVersion} ${reference.kind}`];
  if (!check || annotation(applied, "pulumi.com/skipAwait") === "true") return applied;
  let latest = applied;
  const deadline = deadlineOf(applied, waiting);
  const look = async (): Promise<{ done: JsonObject } | { missing: string }> => {
    const object = await cluster.read(reference);
    if (!object) throw new EngineError(`${describe(reference)} was deleted while it was waited for`);
    latest = object;
    const missing = await check(object, cluster);
    return missing === undefined ? { done: object } : { missing };
  };
  try {
    return await poll({ what: describe(reference), deadline, waiting, look });
  } catch (error) {
    if (error instanceof Hopeless) throw new EngineError(error.message);
    if (!(error instanceof EngineError)) throw error;
    const problems = await podProblems(latest, cluster).catch(() => []);
    throw new EngineError([error.message, ...problems].join("\n"));
  }
}

/** Until the object is gone, or another one has its name. */
export async function untilGone(cluster: Cluster, live: JsonObject, waiting: Waiting): Promise<void> {
  const reference = referenceOf(live);
  await poll({
    what: `deletion of ${describe(reference)}`,
    deadline: deadlineOf(live, waiting),
    waiting,
    look: async () => {
      const object = await cluster.read(reference);
      const gone = !object || dig(object, "metadata", "uid") !== dig(live, "metadata", "uid");
      if (gone) return { done: undefined };
      const finalizers = dig(object, "metadata", "finalizers");
      return { missing: `waiting until it is gone${Array.isArray(finalizers) && finalizers.length > 0 ? ` (finalizers: ${finalizers.map(say).join(", ")})` : ""}` };
    },
  });
}
