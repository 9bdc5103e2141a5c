import { linksToRun } from "../alerts/ciRun.js";
import { raiseAlert } from "../alerts/raise.js";
import { connect, type ClusterRef } from "../kubernetes/cluster.js";
import type { Say } from "../step.js";
import { addHistory } from "./history.js";
import { setState, type Release } from "./record.js";

/** Users have moved. Whoever sees it first notes it: the update, or the watcher in the cluster when the update is dead. */
export async function noteSwitch(where: ClusterRef & { app: string }, release: Release, say: Say): Promise<void> {
  const { id, kind, share, to, from, who, why, at, state } = release;
  // By another one already.
  if (state !== "permitted") return;
  const cluster = connect(where);
  await addHistory(cluster, where.app, id, { kind, share, to, from, who, why, at, evidence: [] });
  await setState(cluster, where.app, id, "watching");
  // A step on the way, of which there may be many.
  if (kind === "share") return;
  const { namespace, app } = where;
  const told = { app, namespace, who, why, at: new Date(at), evidence: [], links: linksToRun() };
  if (kind === "rollback" && from !== null) await raiseAlert(cluster, { ...told, kind: "rolledBack", from, to }, say);
  else await raiseAlert(cluster, { ...told, kind: "switched", from: from ?? undefined, to }, say);
}
