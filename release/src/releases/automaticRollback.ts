import { linksToRun } from "../alerts/ciRun.js";
import { raiseAlert } from "../alerts/raise.js";
import type { Cluster, ClusterRef } from "../kubernetes/cluster.js";
import { UnknownOutcomeError } from "../kubernetes/jsonPatch.js";
import { serverTime } from "../kubernetes/serverTime.js";
import { newMoveId, rollBackRelease } from "../rollback/rollBackRelease.js";
import type { Release } from "../state/record.js";
import { mayPass } from "../util/mayPass.js";
import { messageOf } from "../util/userError.js";
import { pollIntervalMs, type AnalysisEnd, type AnalysisOptions } from "./analysisEnd.js";

/** The rollback of one analysis: each try is of the same move, and whoever is on call is told where none succeeds. */
export class AutomaticRollback {
  /** Traffic was to be rolled back, and was not, or it is not known whether it was. */
  stuck: { reason: string; evidence: string[]; isTold: boolean } | undefined;
  /** Each try of the same move: whatever has become of one is found by the next. */
  private readonly moveId = newMoveId();

  constructor(
    private readonly cluster: Cluster,
    private readonly where: ClusterRef & { app: string },
    private readonly release: Release,
    private readonly options: AnalysisOptions,
  ) {}

  async act(reason: string, evidence: string[]): Promise<AnalysisEnd | undefined> {
    const { by, say, settings, polled } = this.options;
    const { where, release: undone, moveId } = this;
    // A handover of databases takes minutes, and is no reason to end the process that does it.
    const alive = setInterval(() => polled?.(), pollIntervalMs);
    try {
      const back = await rollBackRelease({ where, undone, settings, reason, evidence, by, moveId }, say);
      return back ? { end: "breach", reason, evidence } : { end: "superseded" };
    } catch (error) {
      // The other color is no better, somebody's policy is against it, or nobody answers. That may change:
      // the next check tries again.
      const isTold = this.stuck?.isTold === true;
      this.stuck = { reason, evidence, isTold };
      if (mayPass(error) || (error instanceof UnknownOutcomeError && mayPass(error.cause))) throw error;
      const message = messageOf(error);
      if (!isTold) await this.shout(message, reason, evidence);
      this.stuck = {
        reason,
        evidence: [...evidence.filter((line) => line !== message), message],
        isTold: true,
      };
      return undefined;
    } finally {
      clearInterval(alive);
    }
  }

  async shout(message: string, reason: string, evidence: string[]): Promise<void> {
    const { by, say } = this.options;
    const { app, namespace } = this.where;
    say(message);
    const at = await serverTime(this.cluster);
    await raiseAlert(
      this.cluster,
      {
        kind: "gateFailed",
        gate: "rollback",
        app,
        namespace,
        version: this.release.to,
        who: by,
        why: reason,
        at,
        evidence: [...evidence, message],
        links: linksToRun(),
      },
      say,
    );
  }
}
