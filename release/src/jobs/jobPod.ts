import type { NamespacedName } from "../app/color.js";
import type { V1Job, V1Pod } from "../kubernetes/client.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { readLogLine } from "../kubernetes/pods.js";
import { isForbidden } from "../kubernetes/requests.js";
import { statusOf } from "../util/mayPass.js";

/** Of one request: what writes more than that in a second is not followed line by line. */
const linesMax = 1000;

/** Follows the log of one container of a pod: each request gives the lines since the one before. */
export class JobLog {
  private last = "";
  private readAt: number | undefined;

  constructor(
    private readonly cluster: Cluster,
    private readonly pod: NamespacedName,
    private readonly container: string,
    private readonly onLine: (line: string) => void,
  ) {}

  /** Reads on. A container that has not started, or is gone, has nothing to read. */
  async read(): Promise<void> {
    const startedAt = performance.now();
    // Of whole seconds, and more for the way there: lines that come again are known by their time.
    const since =
      this.readAt === undefined ? {} : { sinceSeconds: Math.ceil((startedAt - this.readAt) / 1000) + 2 };
    const text = await this.cluster.core
      .readNamespacedPodLog({
        ...this.pod,
        container: this.container,
        timestamps: true,
        tailLines: linesMax,
        ...since,
      })
      .catch((error: unknown) => {
        const status = statusOf(error);
        if (status === 400 || status === 404) return undefined;
        throw error;
      });
    if (text === undefined) return;
    this.readAt = startedAt;
    for (const each of text.split("\n")) {
      const line = readLogLine(each);
      if (line === undefined || line.time <= this.last) continue;
      this.last = line.time;
      this.onLine(line.text);
    }
  }
}

/** What keeps the pod of a Job from starting. */
interface StartProblem {
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
): Promise<StartProblem | undefined> {
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
