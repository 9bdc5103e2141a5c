import { setTimeout as delay } from "node:timers/promises";
import { linksToRun } from "../alerts/alert.js";
import { raiseAlert } from "../alerts/raise.js";
import { connect, type ClusterRef } from "../kubernetes/cluster.js";
import { serverTime } from "../kubernetes/requests.js";
import { addHistory } from "../state/history.js";
import { setState, type Release } from "../state/record.js";
import type { Say } from "../util/step.js";
import { pollIntervalMs, type AnalysisEnd, type AnalysisOptions } from "./automaticRollback.js";
import { RunningAnalysis } from "./runningAnalysis.js";

/**
 * Analyzes the color that traffic has moved to, and rolls back. One loop for whoever analyzes: the
 * update at first, the analysis controller when the update is over, or dead. An API server that
 * does not answer ends nothing: nobody could move traffic meanwhile either.
 * @throws when it is interrupted
 */
export async function analyzeRelease(
  where: ClusterRef & { app: string },
  release: Release,
  options: AnalysisOptions,
): Promise<AnalysisEnd> {
  const running = new RunningAnalysis(where, release, options);
  const { signal, lease, forMs, polled } = options;
  const until = performance.now() + forMs;
  await running.takeOver();
  while (performance.now() < until) {
    signal.throwIfAborted();
    if (lease.lost.aborted) return { end: "lost" };
    const end = await running.check();
    if (end !== undefined) return end;
    polled?.();
    await delay(Math.max(0, Math.min(pollIntervalMs, until - performance.now())), undefined, {
      signal,
    }).catch(() => undefined);
  }
  return running.over();
}

/**
 * Traffic has moved, now as far as anybody knows. Whoever sees it first notes it: the update, or the controller in
 * the cluster when the update is dead.
 */
export async function noteSwitch(
  where: ClusterRef & { app: string },
  release: Release,
  say: Say,
): Promise<Release> {
  const { id, kind, weight, to, from, who, why, at, state } = release;
  // By another one already.
  if (state !== "approved") return release;
  const cluster = connect(where);
  const movedAt = (await serverTime(cluster)).toISOString();
  await addHistory(cluster, where.app, id, { kind, weight, to, from, who, why, at, evidence: [] });
  // A shift is one step of many.
  if (kind !== "shift") {
    const { namespace, app } = where;
    const told = { app, namespace, who, why, at: new Date(at), evidence: [], links: linksToRun() };
    if (kind === "rollback" && from !== null)
      await raiseAlert(cluster, { ...told, kind: "rolledBack", from, to }, say);
    else await raiseAlert(cluster, { ...told, kind: "switched", from: from ?? undefined, to }, say);
  }
  // Last: until then the next one who sees it notes it again.
  await setState(cluster, where.app, id, "analyzing", { movedAt });
  return { ...release, movedAt };
}
