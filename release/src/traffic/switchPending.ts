import { type Color, otherColor } from "../app/color.js";
import { connect, type ClusterRef } from "../kubernetes/cluster.js";
import { readLiveColor } from "./live.js";
import { readCanaryWeight } from "./move.js";
import type { RouterName } from "../routers/routers.js";

/**
 * Whether traffic would move to this color. Decided by the cluster, not by the last
 * run's inputs: a gate that passed before a killed update is no proof for today's flip.
 */
export async function isSwitchPending(inputs: ClusterRef & { app: string; color: Color }): Promise<boolean> {
  return (await readLiveColor(connect(inputs), inputs.app)) !== inputs.color;
}

/** Who is to get how many of 100 users. */
export type Move = ClusterRef & { app: string; color: Color; weight: number; route: RouterName | null };

/** Whether users would move. Decided by the cluster, not by the last run's inputs. */
export async function isMovePending(move: Move): Promise<boolean> {
  const { app, color, weight, route } = move;
  if (weight === 100) return isSwitchPending(move);
  return (await readCanaryWeight(connect(move), app, route, otherColor(color))) !== weight;
}
