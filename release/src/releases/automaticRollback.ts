import { linksToRun } from "../alerts/alert.js";
import { raiseAlert } from "../alerts/raise.js";
import type { AnalysisSettings } from "../config/analysisSettings.js";
import type { Cluster, ClusterRef } from "../kubernetes/cluster.js";
import type { HeldLease } from "../kubernetes/heldLease.js";
import { UnknownOutcomeError } from "../kubernetes/patch.js";
import type { AskPod } from "../kubernetes/pods.js";
import { serverTime } from "../kubernetes/requests.js";
import { newMoveId, rollBackRelease } from "../rollback/rollBackRelease.js";
import type { Release } from "../state/record.js";
import { mayPass } from "../util/mayPass.js";
import type { Say } from "../util/step.js";
import { messageOf } from "../util/userError.js";

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

export interface AnalysisOptions {
  /** By what it is analyzed, and how it is rolled back. */
  settings: AnalysisSettings;
  /** How long. */
  forMs: number;
  /** How long ago traffic moved. */
  sinceMs: number;
  /** How pods are asked for their metrics. */
  ask: AskPod;
  lease: HeldLease;
  /** Who analyzes, for the mark and the history. */
  by: string;
  say: Say;
  /** Ends it. */
  signal: AbortSignal;
  /** Called with every poll. */
  polled?: () => void;
}

/**
 * How an analysis ended. over: traffic stays; beside is what the other color got meanwhile, where traffic was on
 * both. breach: it was rolled back. stuck: it was to be, and could not. superseded: somebody else has moved it, or
 * begun another switch. lost: somebody else analyzes.
 */
export type AnalysisEnd =
  | { end: "over"; requests: number | null; beside: number | null }
  | { end: "breach" | "stuck"; reason: string; evidence: string[] }
  | { end: "superseded" }
  | { end: "lost" };

/** The hard limits are checked that often. */
export const pollIntervalMs = 1000;
