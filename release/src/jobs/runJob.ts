import type { V1Job, V1Pod, V1PodSpec } from "../kubernetes/client.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { orUndefined } from "../kubernetes/requests.js";
import { jobNameLabel, whereIs } from "../kubernetes/pods.js";
import { appLabels, containerAnnotation, jobLabel, type OwnMetadata } from "../app/names.js";
import type { NamespacedName } from "../app/color.js";
import type { ProgramEnd } from "../util/runCommand.js";
import { statusOf } from "../util/mayPass.js";
import { DeadlineError, poll, untilAnswered } from "../util/poll.js";
import { messageOf, UserError } from "../util/userError.js";
import type { Say } from "../util/step.js";
import { JobLog, whyNotStarted } from "./jobPod.js";

export interface JobWanted extends NamespacedName, OwnMetadata {
  app: string;
  /** Whose log is shown. */
  container: string;
  pod: V1PodSpec;
  timeoutSeconds: number;
  /** Of its pod, beside the one of every Job. */
  podLabels?: Record<string, string>;
  /** How long it stays once it has ended, where no other of its name removes it. */
  ttlSecondsAfterFinished?: number;
  /** Whether the same Job of an update that was killed counts when it has ended well. */
  takesEnded: boolean;
}

export interface JobAccess {
  onLine: (line: string) => void;
  say: Say;
  /** Ends it at once, with its pod. */
  signal: AbortSignal;
}

const pollIntervalMs = 1000;
/** For the controller to see that the time is over, and to end the pod. */
const graceMs = 60_000;
const removalMs = 120_000;

/**
 * Runs a program in the cluster, once: a Job whose only pod is never started again. Its log is followed as it
 * grows. A Job that ends well is removed; another one stays to be inspected, until the next one of its name. One
 * that an update has left running when it was killed is followed to its end.
 * @throws UserError when its pod cannot be made or does not start, and the reason of the signal
 */
export async function runJob(cluster: Cluster, wanted: JobWanted, access: JobAccess): Promise<ProgramEnd> {
  const job = new RunningJob(cluster, wanted, access);
  const found = await job.find();
  if (found !== undefined && isSame(found, wanted)) {
    const isOver = hasEnded(found);
    if (isOver === "Complete" && wanted.takesEnded) {
      access.say(`Job ${wanted.name}, which an interrupted update had started, has ended well`);
      await job.remove();
      return passed;
    }
    if (isOver === undefined) {
      access.say(`Job ${wanted.name}, which an interrupted update has started, still runs: it is followed`);
      return job.follow();
    }
  }
  if (found !== undefined) await job.remove();
  await job.make();
  return job.follow();
}

const passed: ProgramEnd = { hasPassed: true, timedOut: false, how: "ended with code 0" };

class RunningJob {
  private log: JobLog | undefined;
  private readonly problemSince = new Map<string, number>();

  constructor(
    private readonly cluster: Cluster,
    private readonly wanted: JobWanted,
    private readonly access: JobAccess,
  ) {}

  /** Undefined also of one that is on its way out: it is waited for until it is gone. */
  async find(): Promise<V1Job | undefined> {
    const { namespace, name } = this.wanted;
    const found = await orUndefined(this.cluster.batch.readNamespacedJob({ namespace, name }));
    if (found?.metadata?.deletionTimestamp === undefined) return found;
    await this.remove();
    return undefined;
  }

  async make(): Promise<void> {
    const { namespace, name, app, labels, annotations, container, pod, timeoutSeconds } = this.wanted;
    const { podLabels, ttlSecondsAfterFinished } = this.wanted;
    const body: V1Job = {
      metadata: { name, labels: { ...labels, ...appLabels(app), [jobLabel]: app }, annotations },
      spec: {
        backoffLimit: 0,
        activeDeadlineSeconds: timeoutSeconds,
        ...(ttlSecondsAfterFinished !== undefined && { ttlSecondsAfterFinished }),
        template: {
          // Labels of ours alone: what selects a color's pods, Services first, must not find it.
          metadata: {
            labels: { [jobLabel]: app, ...podLabels },
            annotations: { [containerAnnotation]: container },
          },
          spec: Object.assign(structuredClone(pod), { restartPolicy: "Never" }),
        },
      },
    };
    let tried = 0;
    try {
      await untilAnswered(async () => {
        tried++;
        await this.cluster.batch.createNamespacedJob({ namespace, body });
      });
    } catch (error) {
      // Made by the try whose answer was lost.
      if (tried > 1 && statusOf(error) === 409) return;
      throw this.notStarted(messageOf(error), error);
    }
  }

  /** Until it has ended. */
  async follow(): Promise<ProgramEnd> {
    const { signal } = this.access;
    try {
      return await poll(
        async () => {
          signal.throwIfAborted();
          return this.inspect();
        },
        { timeoutMs: this.wanted.timeoutSeconds * 1000 + graceMs, intervalMs: pollIntervalMs },
      );
    } catch (error) {
      // It may not continue when nobody waits for it.
      await this.remove().catch((left: unknown) => {
        this.access.say(`Job ${this.wanted.name} could not be removed: ${messageOf(left)}`);
      });
      if (error instanceof DeadlineError) return this.late();
      throw error;
    }
  }

  async remove(): Promise<void> {
    const { namespace, name } = this.wanted;
    await poll(
      async () => {
        const left = await orUndefined(this.cluster.batch.readNamespacedJob({ namespace, name }));
        if (left === undefined) return true;
        if (left.metadata?.deletionTimestamp === undefined)
          await orUndefined(
            this.cluster.batch.deleteNamespacedJob({ namespace, name, propagationPolicy: "Foreground" }),
          );
        return undefined;
      },
      { timeoutMs: removalMs },
    );
  }

  private async inspect(): Promise<ProgramEnd | undefined> {
    const { namespace, name, container } = this.wanted;
    const [job, pod] = await Promise.all([
      orUndefined(this.cluster.batch.readNamespacedJob({ namespace, name })),
      this.pod(),
    ]);
    if (job === undefined)
      return { hasPassed: false, timedOut: false, how: "was removed before it had ended" };
    // Of a pod without a node the API server answers nothing at all, which is no log.
    if (pod?.spec?.nodeName !== undefined) {
      this.log ??= new JobLog(this.cluster, whereIs(pod), container, this.access.onLine);
      await this.log.read();
    }
    const end = hasEnded(job);
    if (end === undefined) {
      await this.refuseProblem(job, pod);
      return undefined;
    }
    if (end === "Complete") {
      await this.remove();
      return passed;
    }
    const condition = job.status?.conditions?.find(({ type }) => type === "Failed");
    if (condition?.reason === "DeadlineExceeded") return this.late();
    return { hasPassed: false, timedOut: false, how: howItEnded(pod, container) ?? condition?.message ?? "" };
  }

  private async pod(): Promise<V1Pod | undefined> {
    const { namespace, name } = this.wanted;
    const { items } = await this.cluster.core.listNamespacedPod({
      namespace,
      labelSelector: `${jobNameLabel}=${name}`,
    });
    return items[0];
  }

  /** @throws UserError when its pod has not started for so long that it will not */
  private async refuseProblem(job: V1Job, pod: V1Pod | undefined): Promise<void> {
    const problem = await whyNotStarted(this.cluster, job, pod);
    if (problem === undefined) {
      this.problemSince.clear();
      return;
    }
    const since = this.problemSince.get(problem.reason) ?? performance.now();
    this.problemSince.set(problem.reason, since);
    if (performance.now() - since >= problem.patienceMs) throw this.notStarted(problem.message);
  }

  private late(): ProgramEnd {
    return { hasPassed: false, timedOut: true, how: `ran out of its ${this.wanted.timeoutSeconds} s` };
  }

  private notStarted(rule: string, cause?: unknown): UserError {
    const { namespace, name } = this.wanted;
    return new UserError(
      {
        code: "BG-JOB-NOT-STARTED",
        what: `Job ${namespace}/${name} did not start`,
        rule,
        next: `kubectl -n ${namespace} get events --sort-by=.lastTimestamp, then pulumi up`,
      },
      { cause },
    );
  }
}

/** Whether a Job that is there runs what is wanted: its name alone could be anybody's. */
function isSame({ metadata, spec }: V1Job, { app, container, pod }: JobWanted): boolean {
  const words = (each: V1PodSpec | undefined) => {
    const { image, command, args } = each?.containers.find(({ name }) => name === container) ?? {};
    return JSON.stringify([image, command ?? [], args ?? []]);
  };
  return metadata?.labels?.[jobLabel] === app && words(spec?.template.spec) === words(pod);
}

function hasEnded({ status }: V1Job): "Complete" | "Failed" | undefined {
  const types = (status?.conditions ?? []).filter(({ status: is }) => is === "True").map(({ type }) => type);
  return types.includes("Complete") ? "Complete" : types.includes("Failed") ? "Failed" : undefined;
}

/** By the container that counts, or by another one that kept it from starting. */
function howItEnded(pod: V1Pod | undefined, container: string): string | undefined {
  const { containerStatuses = [], initContainerStatuses = [] } = pod?.status ?? {};
  const own = containerStatuses.find(({ name }) => name === container)?.state?.terminated;
  const first = initContainerStatuses.find(({ state }) => (state?.terminated?.exitCode ?? 0) !== 0);
  const ended = own ?? first?.state?.terminated;
  if (ended === undefined) return pod?.status?.message ?? pod?.status?.reason;
  const by = own === undefined && first !== undefined ? `, in init container ${first.name}` : "";
  const why = ended.reason === undefined || ended.reason === "Error" ? "" : ` (${ended.reason})`;
  return `ended with code ${ended.exitCode}${why}${by}`;
}
