import { linksToRun } from "../alerts/ciRun.js";
import { raiseAlert } from "../alerts/raise.js";
import { otherColor } from "../color.js";
import { databaseHandover, takeHandover } from "../database/databaseHandover.js";
import { databaseSettle } from "../database/databaseSettle.js";
import type { SeparateInputs } from "../database/separateInputs.js";
import { turnDrain } from "../drain/turn.js";
import { connect, type ClusterRef } from "../kubernetes/cluster.js";
import type { Say } from "../step.js";
import type { RollbackSettings } from "./analysisSettings.js";
import { addHistory } from "./history.js";
import { setState, type Release } from "./record.js";
import { serverTime } from "../kubernetes/serverTime.js";
import { moveBack } from "./trafficBack.js";

/** The switch that is undone. Without an id it is not known how users came to where they are. */
export type Undone = Pick<Release, "to" | "from" | "share"> & Partial<Pick<Release, "id">>;

export interface TakeBack {
  where: ClusterRef & { app: string };
  undone: Undone;
  settings: RollbackSettings;
  reason: string;
  evidence: string[];
  /** Who decided it: a person, or the watch. */
  by: string;
}

/**
 * Undoes a switch: users first, then the notes. Where each color has its own database the writing
 * is handed over before, as in every switch: users who came back to data of an hour ago would have
 * lost theirs.
 * @returns false when there was nothing to undo any more: somebody else has moved users meanwhile
 * @throws Refusal when users cannot go back; they are where they were then
 */
export async function takeBack({ where, undone, settings, reason, evidence, by }: TakeBack, say: Say): Promise<boolean> {
  const cluster = connect(where);
  const { app } = where;
  const { id, to, from, share } = undone;
  const { route, connectionDrainSeconds: seconds } = settings;
  const databases = separateInputs(where, undone, settings);
  if (databases !== undefined) await databaseHandover.run(databases, say);
  const at = (await serverTime(cluster)).toISOString();
  let moved = false;
  try {
    moved = await moveBack(cluster, { app, share, route, mark: { ...to, reason, evidence, at, by }, ...(id !== undefined && { switchId: id }) });
  } finally {
    // Writers must not wait for users who do not come.
    if (!moved && databases !== undefined) await takeHandover(databases)?.cancel();
  }
  if (!moved) return false;
  const turned = turnDrain(cluster, app, { back: otherColor(to.color), now: new Date(at), seconds }, say);
  if (databases !== undefined) await databaseSettle.run(databases, say);
  if (id !== undefined) await setState(cluster, app, id, "rolledBack");
  if (from !== null) await addHistory(cluster, app, id ?? "byhand", { kind: "rollback", share, to: from, from: to, who: by, why: reason, at, evidence });
  if (from !== null) await raiseAlert(cluster, { kind: "rolledBack", app, namespace: where.namespace, from: to, to: from, who: by, why: reason, at: new Date(at), evidence, links: linksToRun() }, say);
  await turned;
  return true;
}

function separateInputs(where: TakeBack["where"], { to, from }: Undone, { database }: RollbackSettings): SeparateInputs | undefined {
  if (database === null) return undefined;
  const good = otherColor(to.color);
  const templates = { blue: null, green: null, [to.color]: to.template, [good]: from?.template ?? null };
  return { ...where, ...database, activeColor: good, templates };
}
