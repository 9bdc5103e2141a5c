import { setTimeout as delay } from "node:timers/promises";
import { contractDueAlert } from "../alerts/contractDue.js";
import { raiseAlert } from "../alerts/raise.js";
import { connect, type Cluster, type ClusterRef } from "../kubernetes/cluster.js";
import { askDirectly } from "../kubernetes/pods.js";
import { messageOf } from "../refusal.js";
import type { Say } from "../step.js";
import { noteSwitch } from "./noteSwitch.js";
import { ageOf, isWatched, isWhereUsersAre, readRelease, setState, type Release } from "./record.js";
import { serverTime } from "../kubernetes/serverTime.js";
import { takeWatch } from "./watchLease.js";
import { settingsFor, type WatcherSettings } from "./watcherSettings.js";
import { watchRelease } from "./watchRelease.js";

export interface WatchOnOptions {
  settings: WatcherSettings;
  /** Who watches, for the Lease. */
  holder: string;
  say: Say;
  signal: AbortSignal;
  /** Called with every look: the process is alive. */
  looked: () => void;
}

const lookEveryMs = 1000;

/** What a process in the cluster does for as long as it lives: it watches whatever switch nobody else watches. */
export async function watchOn(where: ClusterRef & { app: string }, { settings, holder, say, signal, looked }: WatchOnOptions): Promise<void> {
  const cluster = connect(where);
  let said = "";
  const isOver = () => signal.aborted;
  while (!isOver()) {
    try {
      const release = await openRelease(cluster, where.app, settings);
      const lease = release === undefined ? undefined : await takeWatch(cluster, where.app, holder);
      if (release !== undefined && lease !== undefined) {
        try {
          say(`watching ${release.to.color} (${release.to.image})`);
          await noteSwitch(where, release, say);
          const sinceMs = ageOf(release, await serverTime(cluster));
          const forMs = hoursOf(release, settings) * 3_600_000 - sinceMs;
          const watched = await watchRelease(where, release, { settings: settingsFor(release, settings), forMs, sinceMs, ask: askDirectly, lease, by: holder, say, signal, looked });
          if (watched.end === "over" && (await setState(cluster, where.app, release.id, "kept"))) await tellContracts(cluster, where, release, { settings, holder, say });
        } finally {
          await lease.release();
        }
      }
      said = "";
    } catch (error) {
      // The API server restarts, the network is away: that is when a watch must not end. Said once.
      const message = messageOf(error);
      if (message !== said && !isOver()) say(message);
      said = message;
    }
    looked();
    await delay(lookEveryMs, undefined, { signal }).catch(() => undefined);
  }
}

/** The switch that users came by, if it may still be taken back. */
async function openRelease(cluster: Cluster, app: string, settings: WatcherSettings): Promise<Release | undefined> {
  const release = await readRelease(cluster, app);
  if (release === undefined) return undefined;
  const { limits, route } = settingsFor(release, settings);
  if (!isWatched(release, limits) || release.state === "kept" || release.state === "rolledBack") return undefined;
  return (await isWhereUsersAre(cluster, app, release, route)) ? release : undefined;
}

/** The standby is kept for so long; and whoever waits for contract migrations is told when their time has come. */
function hoursOf({ contracts }: Release, { limits, contractAfterHours }: WatcherSettings): number {
  return contracts.waiting.length > 0 ? Math.max(limits.standbyHours, contractAfterHours) : limits.standbyHours;
}

async function tellContracts(cluster: Cluster, { app, namespace }: ClusterRef & { app: string }, { to, at, contracts }: Release, { settings, holder, say }: Pick<WatchOnOptions, "settings" | "holder" | "say">): Promise<void> {
  const { waiting } = contracts;
  const { contractAfterHours: afterHours } = settings;
  const alert = contractDueAlert({ app, namespace, live: to, switchedAt: new Date(at), waiting, afterHours, who: holder }, await serverTime(cluster));
  if (alert !== undefined) await raiseAlert(cluster, alert, say);
}
