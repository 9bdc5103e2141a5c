import { otherColor, type Color } from "../color.js";
import { isSwitchPending } from "../gates/switchPending.js";
import { connect, type ClusterRef } from "../kubernetes/cluster.js";
import { readShare } from "../route/move.js";
import type { RouteKind } from "../route/route.js";

/** Who is to get how many of 100 users. */
export type Move = ClusterRef & { app: string; color: Color; share: number; route: RouteKind | null };

/** Whether users would move. Decided by the cluster, not by the last run's inputs. */
export async function isMovePending(move: Move): Promise<boolean> {
  const { app, color, share, route } = move;
  if (share === 100) return isSwitchPending(move);
  return (await readShare(connect(move), app, route, otherColor(color))) !== share;
}
