import { randomBytes } from "node:crypto";
import { linksToRun } from "../alerts/alert.js";
import { raiseAlert } from "../alerts/raise.js";
import { otherColor } from "../app/color.js";
import type { RollbackSettings } from "../config/analysisSettings.js";
import type { Followers } from "../config/background.js";
import { turnDrain } from "../drain/step.js";
import type { V1Service } from "../kubernetes/client.js";
import { connect, type Cluster, type ClusterRef } from "../kubernetes/cluster.js";
import { UnknownOutcomeError } from "../kubernetes/patch.js";
import { serverTime, orUndefined } from "../kubernetes/requests.js";
import { databaseHandover, takeHandover, databaseReconcile } from "../replication/databaseHandover.js";
import type { SeparateInputs } from "../replication/separateInputs.js";
import type { RouterName } from "../routers/routers.js";
import { allOn } from "../routers/weights.js";
import { activeServiceOf, readBlockedImages, type BlockedImage } from "../state/blockedImages.js";
import { addHistory } from "../state/history.js";
import { ageOf, readRelease, setState, type Release } from "../state/record.js";
import { readLiveColor } from "../traffic/live.js";
import { moveTraffic, readGiven } from "../traffic/move.js";
import { untilAnswered } from "../util/poll.js";
import type { Say } from "../util/step.js";
import { messageOf } from "../util/userError.js";
import { reconcileFollowers } from "../workers/followers.js";
import { rollBackTraffic } from "./rollBackTraffic.js";

export interface ReleaseRollback {
  where: ClusterRef & { app: string };
  undone: Undone;
  settings: RollbackSettings;
  reason: string;
  evidence: string[];
  /** Who decided it: a person, or the analysis. */
  by: string;
  /** Of the move. With the same one it may be tried again: what an earlier try has done is found. */
  moveId?: string;
}

/** Unlike that of any other move. */
export function newMoveId(): string {
  return randomBytes(6).toString("hex");
}

/**
 * Undoes a switch: traffic first, then the notes. Where each color has its own database the writing
 * is handed over before, as in every switch: users who came back to data of an hour ago would have
 * lost theirs.
 * @returns false when there was nothing to undo any more: somebody else has moved traffic meanwhile
 * @throws UserError when traffic cannot be rolled back; it is where it was then
 * @throws UnknownOutcomeError when it may have been; to be tried again with the same id
 */
export async function rollBackRelease(
  { where, undone, settings, reason, evidence, by, moveId = newMoveId() }: ReleaseRollback,
  say: Say,
): Promise<boolean> {
  const cluster = connect(where);
  const { app } = where;
  const { id, to, weight } = undone;
  const { route, connectionDrainSeconds: seconds, followers } = settings;
  const databases = separateInputs(where, undone, settings);
  if (databases !== undefined) await databaseHandover.run(databases, say);
  const move = async () => {
    const at = (await serverTime(cluster)).toISOString();
    const blocked = { ...to, reason, evidence, at, by, id: moveId, ...(id !== undefined && { undone: id }) };
    return rollBackTraffic(cluster, {
      app,
      weight,
      route,
      blocked,
      ...(id !== undefined && { switchId: id }),
    });
  };
  const blocked = await move().catch(async (error: unknown) => {
    // Writers must not wait for users who do not come; and those who may have come must find theirs.
    if (databases !== undefined && !(error instanceof UnknownOutcomeError))
      await takeHandover(databases)?.cancel();
    throw error;
  });
  if (blocked === undefined) {
    if (databases !== undefined) await endHandover(cluster, databases, say);
    return false;
  }
  const back = { back: otherColor(to.color), now: new Date(blocked.at), seconds };
  const turned = turnDrain(cluster, app, back, say);
  if (databases !== undefined) await reconcile(databases, say);
  await noteRollback(where, undone, blocked, say);
  if (followers !== undefined && weight === 100) await reconcileAfter(cluster, app, followers, say);
  await turned;
  return true;
}

/** Never throws: traffic is back, and what comes next must continue. */
async function reconcileAfter(cluster: Cluster, app: string, followers: Followers, say: Say): Promise<void> {
  try {
    await reconcileFollowers(cluster, app, followers, say);
  } catch (error) {
    say(`traffic is back, and what follows it is not: ${messageOf(error)}`);
  }
}

/** Somebody else has moved traffic: back as well, or on. */
async function endHandover(cluster: Cluster, databases: SeparateInputs, say: Say): Promise<void> {
  const live = await untilAnswered(() => readLiveColor(cluster, databases.app));
  if (live === databases.activeColor) await reconcile(databases, say);
  else await takeHandover(databases)?.cancel();
}

/** Never throws: traffic has moved, and whoever is to know has to be told. */
async function reconcile(databases: SeparateInputs, say: Say): Promise<void> {
  try {
    await databaseReconcile.run(databases, say);
  } catch (error) {
    say(`the databases are not reconciled: ${messageOf(error)}\n  next: pulumi up, which reconciles them`);
  }
}

function separateInputs(
  where: ReleaseRollback["where"],
  { to, from }: Undone,
  { database }: RollbackSettings,
): SeparateInputs | undefined {
  if (database === null) return undefined;
  const good = otherColor(to.color);
  const templates = { blue: null, green: null, [to.color]: to.template, [good]: from?.template ?? null };
  return { ...where, ...database, activeColor: good, templates };
}

interface FinishOptions {
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
    await moveTraffic(cluster, app, route, { weights: allOn(good), active: good, switchId: id });
}

/** The switch that is undone. Without an id it is not known how traffic came to where it is. */
type Undone = Pick<Release, "to" | "from" | "weight"> & Partial<Pick<Release, "id">>;

/**
 * Traffic was rolled back: what the blocked image tells is noted. Written twice, each note stands there once.
 * The state comes last, for until then whoever finds the blocked image does all of this again: finishRollback.
 * Never throws: traffic is back, and what comes next must continue.
 */
async function noteRollback(
  where: ClusterRef & { app: string },
  { id, to, from, weight }: Undone,
  { reason: why, evidence, at, by: who }: BlockedImage,
  say: Say,
): Promise<void> {
  const cluster = connect(where);
  const { app, namespace } = where;
  const trying = async (what: string, work: () => Promise<unknown>): Promise<boolean> => {
    try {
      await work();
      return true;
    } catch (error) {
      say(
        `traffic is back, and ${what} does not say so yet: ${messageOf(error)}; the analysis controller, status or the next pulumi up completes it`,
      );
      return false;
    }
  };
  const told = { who, why, at, evidence };
  const isInHistory =
    from === null ||
    (await trying("the history", () =>
      addHistory(cluster, app, id ?? "byhand", { kind: "rollback", weight, to: from, from: to, ...told }),
    ));
  if (from !== null) {
    const links = linksToRun();
    await raiseAlert(
      cluster,
      { kind: "rolledBack", app, namespace, from: to, to: from, ...told, at: new Date(at), links },
      say,
      { isPatient: true },
    );
  }
  if (id !== undefined && isInHistory)
    await trying("the record of the switch", () => setState(cluster, app, id, "rolledBack"));
}
