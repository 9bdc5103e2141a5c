import { setTimeout as delay } from "node:timers/promises";
import type { ClusterRef } from "../kubernetes/cluster.js";
import type { Release } from "../state/record.js";
import { pollIntervalMs, type AnalysisEnd, type AnalysisOptions } from "./analysisEnd.js";
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
