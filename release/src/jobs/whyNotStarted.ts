import type { V1Job, V1Pod } from "../kubernetes/client.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { isForbidden } from "../kubernetes/orUndefined.js";

/** What keeps the pod of a Job from starting. */
export interface StartTrouble {
  reason: string;
  message: string;
  /** What passes by itself has to last so long before it counts. */
  patienceMs: number;
}

/** Image pulls and Secrets are retried every few seconds, and so is the making of a pod. */
const patienceMs = 15_000;
/** A node may have to be started first. */
const nodePatienceMs = 300_000;

/** Undefined where nothing is known to keep it. */
export async function whyNotStarted(
  cluster: Cluster,
  job: V1Job,
  pod: V1Pod | undefined,
): Promise<StartTrouble | undefined> {
  if (pod === undefined) {
    const message = await lastRefusal(cluster, job);
    return message === undefined ? undefined : { reason: "FailedCreate", message, patienceMs };
  }
  const { containerStatuses = [], initContainerStatuses = [], conditions = [], phase } = pod.status ?? {};
  if (phase !== "Pending") return undefined;
  const waiting = [...initContainerStatuses, ...containerStatuses]
    .map(({ state }) => state?.waiting)
    .find((each) => each?.reason !== undefined && !startsNow.has(each.reason));
  if (waiting?.reason !== undefined)
    return { reason: waiting.reason, message: `${waiting.reason}: ${waiting.message ?? ""}`, patienceMs };
  const unscheduled = conditions.find(({ type, status }) => type === "PodScheduled" && status === "False");
  return unscheduled === undefined
    ? undefined
    : {
        reason: "Unschedulable",
        message: unscheduled.message ?? "no node has room for it",
        patienceMs: nodePatienceMs,
      };
}

const startsNow = new Set(["ContainerCreating", "PodInitializing"]);

/**
 * Quota, Pod Security and admission: no pod appears, and the reason is in an event alone. Those of an earlier Job of
 * the same name are still there for an hour, so it is asked by uid.
 */
async function lastRefusal(cluster: Cluster, { metadata }: V1Job): Promise<string | undefined> {
  const { namespace = cluster.namespace, uid = "" } = metadata ?? {};
  try {
    const { items } = await cluster.core.listNamespacedEvent({
      namespace,
      fieldSelector: `involvedObject.kind=Job,involvedObject.uid=${uid},reason=FailedCreate`,
    });
    return items.at(-1)?.message;
  } catch (error) {
    // It waits out its time then.
    if (isForbidden(error)) return undefined;
    throw error;
  }
}
