import type { V1Pod } from "../kubernetes/client.js";
import type { Color } from "../color.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { readDeployment } from "../kubernetes/deployment.js";
import { askReady, isReady } from "../kubernetes/pods.js";
import { homeOf } from "../homes.js";
import { names } from "../names.js";
import { Refusal } from "../refusal.js";
import { shellWord } from "../shellWord.js";
import { findTrouble, type PodTrouble } from "./podTrouble.js";
import { whyUnready } from "./whyUnready.js";

/** A trouble that may pass has to last this long before it counts: image pulls and Secrets are retried every few seconds. */
const patienceMs = 15_000;

/** Looks again and again at pods that shall become ready, and says as soon as they will not. */
export class PodJudge {
  private readonly since = new Map<string, number>();

  constructor(
    private readonly cluster: Cluster,
    private readonly of: { app: string; color: Color },
    /** Where to look at pods that are gone by the time that somebody reads of them. */
    private readonly instead?: string,
  ) {}

  /**
   * What a pod says itself about not being ready, once it has been so for a while.
   * @throws Refusal when waiting is in vain
   */
  async look(pods: V1Pod[]): Promise<string | undefined> {
    for (const pod of pods) {
      const trouble = findTrouble(pod);
      if (trouble !== undefined && (trouble.final || this.lasts(trouble.reason))) throw await this.explain(trouble);
    }
    return this.askUnready(pods);
  }

  /** Whether something has been seen for long enough to count. */
  lasts(reason: string): boolean {
    const first = this.since.get(reason) ?? Date.now();
    this.since.set(reason, first);
    return Date.now() - first >= patienceMs;
  }

  /** Asks one pod that runs and is not ready for the reason, now and then. */
  private async askUnready(pods: V1Pod[]): Promise<string | undefined> {
    const pod = pods.find((each) => each.status?.phase === "Running" && !isReady(each));
    if (pod === undefined || !this.lasts("unready")) return undefined;
    this.since.delete("unready");
    const why = whyUnready(await askReady(this.cluster, pod));
    if (why === undefined) return undefined;
    const said = `pod ${pod.metadata?.name ?? "?"} says ${why.text}`;
    if (!why.final) return said;
    const { color } = this.of;
    throw new Refusal({
      what: `The ${color} color does not become ready`,
      rule: said,
      next: `add the migration to the folder, or raise schemaVersion to it; or pulumi config set ${color}Tag TAG with a version that works with this schema; then pulumi up`,
    });
  }

  private async explain(trouble: PodTrouble): Promise<Refusal> {
    const { color } = this.of;
    const namespace = homeOf(this.cluster, color);
    const what = `The ${color} color does not start: pod ${trouble.pod}, ${trouble.reason}`;
    switch (trouble.reason) {
      case "ImagePullBackOff":
      case "ErrImagePull":
      case "InvalidImageName":
        return new Refusal({ what, rule: trouble.message, next: `push the image, or pulumi config set ${color}Tag TAG with a tag that exists, then pulumi up` });
      case "CreateContainerConfigError":
        return new Refusal({
          what,
          rule: trouble.message,
          next: `write url=… (or api-key=…) to a file, kubectl -n ${namespace} create secret generic ${names.databaseSecret} (or ${names.openaiSecret}) --from-env-file=FILE, then pulumi up`,
        });
      case "CrashLoop":
        return new Refusal({
          what,
          rule: `${trouble.message}; ${await this.readyPods()}`,
          next: `${this.instead ?? `kubectl -n ${namespace} logs ${shellWord(trouble.pod)} --previous`}; then pulumi config set ${color}Tag TAG with a version that starts, and pulumi up`,
        });
      default:
        return new Refusal({ what, rule: trouble.message, next: this.instead ?? `kubectl -n ${namespace} describe pod ${shellWord(trouble.pod)}` });
    }
  }

  private async readyPods(): Promise<string> {
    const { app, color } = this.of;
    const deployment = await readDeployment(this.cluster, app, color);
    return `${deployment?.status?.readyReplicas ?? 0} of ${deployment?.spec?.replicas ?? 0} pods are ready`;
  }
}
