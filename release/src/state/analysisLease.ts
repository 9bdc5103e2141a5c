import { appKey, type Cluster } from "../kubernetes/cluster.js";
import { holderName } from "../util/who.js";
import { takeLease } from "../kubernetes/lease.js";
import type { HeldLease } from "../kubernetes/heldLease.js";
import { names } from "../app/names.js";
import type { Say } from "../util/step.js";

/** Renewed every five seconds: that long after a killed update the analysis controller takes over. */
const leaseSeconds = 15;
/** The analysis controller polls every second, and lets go when another switch is approved. */
const waitMs = 10_000;

/**
 * Taken before traffic moves, for the step that analyzes. In this process alone: when it dies, somebody else
 * takes over.
 */
const held = new Map<string, HeldLease>();

/** So that no moment of a switch is without an analysis. Somebody who does not let go analyzes instead. */
export async function holdAnalysis(cluster: Cluster, app: string, say: Say): Promise<void> {
  const answer = await takeLease(cluster, names.analysisLease(app), {
    holder: holderName(),
    seconds: leaseSeconds,
    waitMs,
    say,
  });
  if ("held" in answer) held.set(appKey(cluster, app), answer.held);
  else say(`${answer.heldBy} analyzes ${app}, since ${answer.since}, and continues with it`);
}

/** What this process has taken before; otherwise what is free now. */
export async function takeAnalysis(
  cluster: Cluster,
  app: string,
  holder: string,
): Promise<HeldLease | undefined> {
  const key = appKey(cluster, app);
  const before = held.get(key);
  held.delete(key);
  if (before !== undefined && !before.lost.aborted) return before;
  const answer = await takeLease(cluster, names.analysisLease(app), {
    holder,
    seconds: leaseSeconds,
    waitMs: 0,
  });
  return "held" in answer ? answer.held : undefined;
}
