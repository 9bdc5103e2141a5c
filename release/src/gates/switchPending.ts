import type { Color } from "../color.js";
import { connect, type ClusterRef } from "../kubernetes/cluster.js";
import { readLiveColor } from "../live.js";

/**
 * Whether traffic would move to this color. Decided by the cluster, not by the last
 * run's inputs: a gate that passed before a killed update is no proof for today's flip.
 */
export async function isSwitchPending(inputs: ClusterRef & { app: string; color: Color }): Promise<boolean> {
  return (await readLiveColor(connect(inputs), inputs.app)) !== inputs.color;
}
