import { z } from "zod";
import { namespaceOf, type Color } from "../app/color.js";
import type { V1Pod } from "../kubernetes/client.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { readDeployment, readWorker } from "../kubernetes/deployment.js";
import { askReady, isReady } from "../kubernetes/pods.js";
import { shellWord } from "../util/bluegreenCommand.js";
import { UserError } from "../util/userError.js";
import { findProblem, keyOf, whatItWaitsFor, type PodProblem } from "./podProblem.js";

/**
 * A problem that may pass has to last this long before it counts: image pulls and Secrets are retried every
 * few seconds.
 */
const patienceMs = 15_000;

/** Of a container that has crashed: enough for the end of a stack trace. */
const tailLines = 10;
const limitBytes = 4000;

/** What pods wait for. */
interface Waiting {
  text: string;
  /** For long enough to tell somebody while it lasts. */
  isLong: boolean;
}

/** Inspects pods that shall become ready again and again, and says as soon as they will not. */
export class PodCheck {
  private readonly patience = new Patience(patienceMs);
  private last: PodProblem | undefined;

  constructor(
    private readonly cluster: Cluster,
    /** A color, or one of its workers. */
    private readonly of: { app: string; color: Color; worker?: string },
    /** Where to inspect pods that are gone by the time that somebody reads of them. */
    private readonly instead?: string,
  ) {}

  /**
   * What pods wait for, or say themselves about not being ready, once it has been so for a while.
   * @throws UserError when waiting is in vain
   */
  async inspect(pods: V1Pod[]): Promise<Waiting | undefined> {
    this.last = undefined;
    for (const pod of pods) {
      const problem = findProblem(pod);
      if (problem === undefined) continue;
      const lasts = this.patience.lasts(keyOf(problem));
      if (problem.kind === "final" || (problem.kind === "lasting" && lasts))
        throw await this.explain(problem);
      this.last ??= problem;
    }
    const waits = pods.flatMap((pod) => whatItWaitsFor(pod) ?? [])[0];
    const said =
      waits === undefined
        ? await this.askUnready(pods)
        : { text: waits, isLong: this.patience.lasts("waits") };
    this.patience.next();
    return said;
  }

  /** Whether something else has been seen in every inspection for long enough to count. */
  lasts(reason: string): boolean {
    return this.patience.lasts(reason);
  }

  /** The problem that might have passed, when time is over; undefined where none was seen last. */
  async atTheEnd(): Promise<UserError | undefined> {
    return this.last && (await this.explain(this.last));
  }

  /** Asks one pod that runs and is not ready for the reason, now and then. */
  private async askUnready(pods: V1Pod[]): Promise<Waiting | undefined> {
    const pod = pods.find((each) => each.status?.phase === "Running" && !isReady(each));
    if (pod === undefined || !this.patience.lasts("unready")) return undefined;
    this.patience.beginAgain("unready");
    const why = whyUnready(await askReady(this.cluster, pod));
    if (why === undefined) return undefined;
    const text = `pod ${pod.metadata?.name ?? "?"} says ${why.text}`;
    if (!why.final) return { text, isLong: true };
    const { color } = this.of;
    throw new UserError({
      code: "BG-SCHEMA-INCOMPATIBLE",
      what: `The ${color} color does not become ready`,
      rule: text,
      next: `add the migration to the folder, or raise schemaVersion to it; or pulumi config set ${color}Tag TAG with a version that works with this schema; then pulumi up`,
    });
  }

  private async explain(problem: PodProblem): Promise<UserError> {
    const { color, worker } = this.of;
    const namespace = namespaceOf(this.cluster, color);
    const { beside } = problem;
    const what = `${worker === undefined ? `The ${color} color` : `Worker ${worker} of ${color}`} does not start: pod ${problem.pod}, ${beside === undefined ? "" : `${beside}, `}${problem.reason}`;
    const of = beside === undefined ? "" : ` -c ${shellWord(problem.container)}`;
    switch (problem.reason) {
      case "ImagePullBackOff":
      case "ErrImagePull":
      case "InvalidImageName":
        return new UserError({
          code: "BG-IMAGE-NOT-PULLED",
          what,
          rule: problem.message,
          next: `push the image, or pulumi config set ${color}Tag TAG with a tag that exists, then pulumi up`,
        });
      case "CreateContainerConfigError":
        return new UserError({
          code: "BG-SECRET-MISSING",
          what,
          rule: problem.message,
          next: `make what it names in namespace ${namespace}: write KEY=… to a file, then kubectl -n ${namespace} create secret generic NAME --from-env-file=FILE; then pulumi up`,
        });
      case "CrashLoop":
        return new UserError({
          code: "BG-POD-CRASHING",
          what,
          rule: `${problem.message}; ${await this.readyPods()}${await this.lastLines(problem)}`,
          next: `${this.instead ?? `kubectl -n ${namespace} logs ${shellWord(problem.pod)}${of} --previous`}; then pulumi config set ${color}Tag TAG with a version that starts, and pulumi up`,
        });
      default:
        return new UserError({
          code: "BG-POD-NOT-STARTED",
          what,
          rule: problem.message,
          next: this.instead ?? `kubectl -n ${namespace} describe pod ${shellWord(problem.pod)}`,
        });
    }
  }

  /** What the container said last, before it ended: nothing where that cannot be read. */
  private async lastLines({ pod, container }: PodProblem): Promise<string> {
    const { core } = this.cluster;
    const request = { namespace: namespaceOf(this.cluster, this.of.color), name: pod, container };
    try {
      const log = await core.readNamespacedPodLog({ ...request, previous: true, tailLines, limitBytes });
      const lines = log.split("\n").filter((line) => line.trim() !== "");
      return lines.map((line) => `\n        ${line}`).join("");
    } catch {
      return "";
    }
  }

  private async readyPods(): Promise<string> {
    const { app, color, worker } = this.of;
    const deployment =
      worker === undefined
        ? await readDeployment(this.cluster, app, color)
        : await readWorker(this.cluster, app, color, worker);
    return `${deployment?.status?.readyReplicas ?? 0} of ${deployment?.spec?.replicas ?? 0} pods are ready`;
  }
}

const answer = z.object({
  reason: z.string().max(200).optional(),
  schema: z.object({ needs: z.string(), applied: z.string().nullable() }).optional(),
});

/** What a pod that is not ready says about it in the body of /ready. */
interface UnreadyReason {
  text: string;
  /** The schema that it waits for is not there, and migrations are over: it waits in vain. */
  final: boolean;
}

/** Undefined when the body says nothing of that kind. */
export function whyUnready(body: unknown): UnreadyReason | undefined {
  const parsed = answer.safeParse(body);
  if (!parsed.success) return undefined;
  const { reason, schema } = parsed.data;
  if (schema !== undefined && (schema.applied ?? "") < schema.needs && reason !== undefined) {
    return {
      text: `${reason}: it needs migration ${schema.needs}, the database is at ${schema.applied ?? "none"}`,
      final: schema.applied !== null,
    };
  }
  return reason === undefined ? undefined : { text: reason, final: false };
}

/** How long something lasts that is polled. What was not seen in a poll has passed. */
export class Patience {
  private readonly since = new Map<string, number>();
  private readonly seen = new Set<string>();

  constructor(
    private readonly ms: number,
    private readonly now: () => number = Date.now,
  ) {}

  /** Whether it has been seen in every poll for long enough to count. */
  lasts(key: string): boolean {
    this.seen.add(key);
    const first = this.since.get(key) ?? this.now();
    this.since.set(key, first);
    return this.now() - first >= this.ms;
  }

  /** As if it were seen for the first time. */
  beginAgain(key: string): void {
    this.since.delete(key);
  }

  /** Ends a poll. */
  next(): void {
    for (const key of this.since.keys()) if (!this.seen.has(key)) this.since.delete(key);
    this.seen.clear();
  }
}
