import { setTimeout as delay } from "node:timers/promises";
import { appKey, type Cluster } from "../kubernetes/cluster.js";
import { span } from "../analysis/summary.js";
import type { UserError } from "../util/userError.js";

/** What an update has done that users of the live color could feel. */
interface Change {
  text: string;
  /** By a clock that only goes forward. */
  atMs: number;
}

/** Tests the live color once more. @param moment after which: "after migrations 0002" */
type TestLive = (moment: string) => Promise<void>;

interface Observed {
  changes: Change[];
  /** Absent where config does not want it. */
  test?: TestLive;
  harm?: UserError;
  /** Traffic may move: who is live is about to change. */
  isClosed?: true;
}

/** What is being done about harm that was found. */
const measures = new Set<Promise<void>>();
/** More than an alert takes that nobody receives. */
const measuresMs = 30_000;

/** By app and cluster: all steps of an update run in one process. */
const observed = new Map<string, Observed>();

/** From here on what an update does is remembered, for whoever finds that it does harm. */
export function beginGuard(cluster: Cluster, app: string, test?: TestLive): void {
  observed.set(appKey(cluster, app), { changes: [], ...(test !== undefined && { test }) });
}

export function noteChange(cluster: Cluster, app: string, text: string): void {
  observed.get(appKey(cluster, app))?.changes.push({ text, atMs: performance.now() });
}

/**
 * From here on no step of the update continues.
 * @returns false when traffic may be moving already: then nothing is to be done about it any more
 */
export function noteHarm(cluster: Cluster, app: string, harm: UserError): boolean {
  const found = observed.get(appKey(cluster, app));
  if (found === undefined || found.isClosed === true) return false;
  found.harm = harm;
  return true;
}

/** Until this is done no step has failed: soon after that the engine ends the process in which it is done. */
export async function actOnHarm(measure: Promise<void>): Promise<void> {
  measures.add(measure);
  await measure.finally(() => measures.delete(measure));
}

/** Waits for what is being done about harm. Never throws. */
export async function untilActedOnHarm(): Promise<void> {
  if (measures.size === 0) return;
  await Promise.race([Promise.allSettled(measures), delay(measuresMs, undefined, { ref: false })]);
}

/**
 * Before traffic moves. In one go with the check for harm: whoever finds some later leaves the pods alone that are
 * about to be live.
 * @throws UserError once this update is known to harm the live color
 */
export function closeGuard(cluster: Cluster, app: string): void {
  refuseHarm(cluster, app);
  const found = observed.get(appKey(cluster, app));
  if (found !== undefined) found.isClosed = true;
}

/** Nobody observes the live color any more. */
export function endGuard(cluster: Cluster, app: string): void {
  observed.delete(appKey(cluster, app));
}

/** @throws UserError once this update is known to harm the live color */
export function refuseHarm(cluster: Cluster, app: string): void {
  const { harm } = observed.get(appKey(cluster, app)) ?? {};
  if (harm !== undefined) throw harm;
}

/**
 * Once the update has done something to what both colors share.
 * @throws UserError once this update is known to harm the live color
 */
export async function testLive(cluster: Cluster, app: string, moment: string): Promise<void> {
  await observed.get(appKey(cluster, app))?.test?.(moment);
  refuseHarm(cluster, app);
}

const recentMs = 60_000;

/** What this update did in the minute before now, the newest first. */
export function recentChanges(cluster: Cluster, app: string): string[] {
  const now = performance.now();
  return (observed.get(appKey(cluster, app))?.changes ?? [])
    .filter(({ atMs }) => now - atMs <= recentMs)
    .map(({ text, atMs }) => `${text}, ${span((now - atMs) / 1000)} before`)
    .toReversed();
}
