import { randomBytes } from "node:crypto";
import { otherColor } from "../app/color.js";
import { databaseHandover, takeHandover } from "../replication/databaseHandover.js";
import { databaseReconcile } from "../replication/databaseReconcile.js";
import type { SeparateInputs } from "../replication/separateInputs.js";
import { turnDrain } from "../drain/turn.js";
import { connect, type Cluster, type ClusterRef } from "../kubernetes/cluster.js";
import { UnknownOutcomeError } from "../kubernetes/jsonPatch.js";
import { serverTime } from "../kubernetes/serverTime.js";
import { readLiveColor } from "../traffic/live.js";
import { untilAnswered } from "../util/poll.js";
import { messageOf } from "../util/userError.js";
import type { Say } from "../util/step.js";
import type { RollbackSettings } from "../config/analysisSettings.js";
import { reconcileFollowers } from "../workers/followers.js";
import type { Followers } from "../config/followers.js";
import { noteRollback, type Undone } from "./noteRollback.js";
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
 * Undoes a switch: users first, then the notes. Where each color has its own database the writing
 * is handed over before, as in every switch: users who came back to data of an hour ago would have
 * lost theirs.
 * @returns false when there was nothing to undo any more: somebody else has moved traffic meanwhile
 * @throws UserError when users cannot go back; they are where they were then
 * @throws UnknownOutcomeError when they may be back; to be tried again with the same id
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
export async function reconcileAfter(
  cluster: Cluster,
  app: string,
  followers: Followers,
  say: Say,
): Promise<void> {
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
