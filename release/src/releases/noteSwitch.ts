import { linksToRun } from "../alerts/ciRun.js";
import { raiseAlert } from "../alerts/raise.js";
import { connect, type ClusterRef } from "../kubernetes/cluster.js";
import type { Say } from "../util/step.js";
import { serverTime } from "../kubernetes/serverTime.js";
import { addHistory } from "../state/history.js";
import { setState, type Release } from "../state/record.js";

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
