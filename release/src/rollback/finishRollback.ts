import { otherColor } from "../app/color.js";
import type { V1Service } from "../kubernetes/client.js";
import { connect, type Cluster, type ClusterRef } from "../kubernetes/cluster.js";
import { orUndefined } from "../kubernetes/orUndefined.js";
import { serverTime } from "../kubernetes/serverTime.js";
import { moveUsers, readGiven } from "../traffic/move.js";
import type { RouterName } from "../routers/routers.js";
import { allOn } from "../routers/weights.js";
import type { Say } from "../util/step.js";
import { activeServiceOf, readBlockedImages, type BlockedImage } from "../state/blockedImages.js";
import type { Followers } from "../config/followers.js";
import { noteRollback } from "./noteRollback.js";
import { reconcileAfter } from "./rollBackRelease.js";
import { ageOf, readRelease, type Release } from "../state/record.js";

export interface FinishOptions {
  /** Whose weights gave a canary weight; null where the active Service is all there is. */
  route: RouterName | null;
  /** How old the blocked image has to be: whoever wrote it may be noting it at this moment. */
  graceMs: number;
  /** Whether each color has its own database, and no update reconciles them now. */
  hasDatabases: boolean;
  /** What follows the live color; absent where nothing does, and where an update reconciles it. */
  followers?: Followers | undefined;
}

/** Longer than it takes to tell receivers that are dead, and to wait for an API server that restarts. */
export const othersAreNotingMs = 90_000;

/**
 * Completes a rollback whose process has died, or was cut off, after it had moved traffic: history, alert
 * and state, from the blocked image on the active Service. Databases are left to `pulumi up`, which reconciles them.
 * @returns whether there was something to complete
 */
export async function finishRollback(
  where: ClusterRef & { app: string },
  { route, graceMs, hasDatabases, followers }: FinishOptions,
  say: Say,
): Promise<boolean> {
  const cluster = connect(where);
  const { app } = where;
  const [release, service] = await Promise.all([
    readRelease(cluster, app),
    orUndefined(activeServiceOf(cluster, app).read()),
  ]);
  const blocked = service && release && unnotedBlock(release, service);
  if (release === undefined || blocked === undefined) return false;
  if (graceMs > 0 && ageOf(blocked, await serverTime(cluster)) < graceMs) return false;
  say(
    `traffic was rolled back from ${blocked.color} (${blocked.image}) at ${blocked.at} by ${blocked.by}, and it is noted now`,
  );
  if (release.weight < 100) await removeCanaryWeight(cluster, app, release, route, say);
  if (hasDatabases && release.weight === 100)
    say("what that rollback has left of the databases is reconciled by the next pulumi up");
  await noteRollback(where, release, blocked, say);
  if (followers !== undefined && release.weight === 100) await reconcileAfter(cluster, app, followers, say);
  return true;
}

/** The blocked image of a rollback of this release that its record does not know of. */
export function unnotedBlock(
  { id, state, to, weight }: Release,
  service: V1Service,
): BlockedImage | undefined {
  if (state === "rolledBack") return undefined;
  const live = service.spec?.selector?.["version"];
  const isBack = weight < 100 || live === otherColor(to.color);
  return isBack
    ? readBlockedImages(service).find(({ color, undone }) => color === to.color && undone === id)
    : undefined;
}

/** The blocked image of a shift is written before its weights move. */
async function removeCanaryWeight(
  cluster: Cluster,
  app: string,
  { id, to }: Release,
  route: RouterName | null,
  say: Say,
): Promise<void> {
  const good = otherColor(to.color);
  const given = route === null ? undefined : await readGiven(cluster, app, route);
  if (route === null || given === undefined)
    say(
      `${to.color} had a canary weight, and there are no weights of ${route ?? "a router"} now: none are moved`,
    );
  else if (given.switchId === id)
    await moveUsers(cluster, app, route, { weights: allOn(good), active: good, switchId: id });
}
