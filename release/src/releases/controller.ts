import { setTimeout as delay } from "node:timers/promises";
import { contractDueAlert } from "../alerts/alert.js";
import { raiseAlert } from "../alerts/raise.js";
import { connect, type Cluster, type ClusterRef } from "../kubernetes/cluster.js";
import { askDirectly } from "../kubernetes/pods.js";
import { messageOf } from "../util/userError.js";
import type { Say } from "../util/step.js";
import { finishRollback, othersAreNotingMs } from "../rollback/rollBackRelease.js";
import { noteSwitch, analyzeRelease } from "./analyzeRelease.js";
import { ageOf, isAnalyzed, isInEffect, readRelease, setState, type Release } from "../state/record.js";
import { serverTime } from "../kubernetes/requests.js";
import { takeAnalysis } from "../state/analysisLease.js";
import { settingsFor, type ControllerSettings } from "../config/analysisSettings.js";

export interface ControllerOptions {
  settings: ControllerSettings;
  /** Who analyzes, for the Lease. */
  holder: string;
  say: Say;
  signal: AbortSignal;
  /** Called with every poll: the process is alive. */
  polled: () => void;
}

const pollIntervalMs = 1000;

/**
 * What a process in the cluster does for as long as it lives: it analyzes whatever switch nobody else does.
 */
export async function runController(
  where: ClusterRef & { app: string },
  { settings, holder, say, signal, polled }: ControllerOptions,
): Promise<void> {
  const cluster = connect(where);
  let said = "";
  // Of whoever was here before.
  let isFinished = false;
  const isOver = () => signal.aborted;
  while (!isOver()) {
    try {
      if (!isFinished) await finish(where, settings, say);
      isFinished = true;
      const found = await openRelease(where, settings, say);
      const lease = found === undefined ? undefined : await takeAnalysis(cluster, where.app, holder);
      if (found !== undefined && lease !== undefined) {
        try {
          say(`analyzing ${found.to.color} (${found.to.image})`);
          const release = await noteSwitch(where, found, say);
          const sinceMs = ageOf(release, await serverTime(cluster));
          const forMs = hoursOf(release, settings) * 3_600_000 - sinceMs;
          const outcome = await analyzeRelease(where, release, {
            settings: settingsFor(release, settings),
            forMs,
            sinceMs,
            ask: askDirectly,
            lease,
            by: holder,
            say,
            signal,
            polled,
          });
          if (outcome.end === "over" && (await setState(cluster, where.app, release.id, "kept")))
            await tellContracts(cluster, where, release, { settings, holder, say });
        } finally {
          await lease.release();
        }
      }
      said = "";
    } catch (error) {
      // The API server restarts, the network is away: that is when an analysis must not end. Said once.
      const message = messageOf(error);
      if (message !== said && !isOver()) say(message);
      said = message;
    }
    polled();
    await delay(pollIntervalMs, undefined, { signal }).catch(() => undefined);
  }
}

function finish(
  where: ClusterRef & { app: string },
  { route, database, followers }: ControllerSettings,
  say: Say,
): Promise<boolean> {
  const hasDatabases = database !== null;
  return finishRollback(where, { route, hasDatabases, followers, graceMs: othersAreNotingMs }, say);
}

/** The switch that moved traffic to the live color, if it may still be rolled back. */
async function openRelease(
  where: ClusterRef & { app: string },
  settings: ControllerSettings,
  say: Say,
): Promise<Release | undefined> {
  const cluster = connect(where);
  const { app } = where;
  const release = await readRelease(cluster, app);
  if (release === undefined) return undefined;
  const { limits, route } = settingsFor(release, settings);
  if (!isAnalyzed(release, limits) || release.state === "kept" || release.state === "rolledBack")
    return undefined;
  const isThere = await isInEffect(cluster, app, release, route);
  if ((!isThere || release.weight < 100) && (await finish(where, settings, say))) return undefined;
  return isThere ? release : undefined;
}

/**
 * The standby is kept for so long; and whoever waits for contract migrations is told when their time has
 * come.
 */
function hoursOf({ contracts }: Release, { standbyHours, contractDelayHours }: ControllerSettings): number {
  return contracts.waiting.length > 0 ? Math.max(standbyHours, contractDelayHours) : standbyHours;
}

async function tellContracts(
  cluster: Cluster,
  { app, namespace }: ClusterRef & { app: string },
  { to, at, contracts }: Release,
  { settings, holder, say }: Pick<ControllerOptions, "settings" | "holder" | "say">,
): Promise<void> {
  const { waiting } = contracts;
  const { contractDelayHours: afterHours } = settings;
  const alert = contractDueAlert(
    { app, namespace, live: to, switchedAt: new Date(at), waiting, afterHours, who: holder },
    await serverTime(cluster),
  );
  if (alert !== undefined) await raiseAlert(cluster, alert, say);
}
