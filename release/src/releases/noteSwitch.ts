import { connect, type ClusterRef } from "../kubernetes/cluster.js";
import type { Say } from "../step.js";
import { addHistory } from "./history.js";
import { setState, type Release } from "./record.js";

/** Users have moved. Whoever sees it first notes it: the update, or the watcher in the cluster when the update is dead. */
export async function noteSwitch(where: ClusterRef & { app: string }, release: Release, say: Say): Promise<void> {
  const { id, kind, to, from, who, why, at, state } = release;
  // By another one already.
  if (state !== "permitted") return;
  const cluster = connect(where);
  await addHistory(cluster, where.app, id, { kind, to, from, who, why, at, evidence: [] });
  await setState(cluster, where.app, id, "watching");
  await tell(cluster, where.app, { kind: "switched", release }, say);
}
