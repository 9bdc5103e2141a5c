import { otherColor, type Color } from "../color.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { readDeployment } from "../kubernetes/deployment.js";
import { readLiveColor } from "../live.js";
import { isWayBack, readRelease } from "../releases/record.js";
import { heldSize, readAutoscaler } from "./autoscaler.js";

export interface Taker {
  app: string;
  color: Color;
  /** Hash of the pod template that takes over. */
  template: string;
}

/**
 * How many pods a color needs to take over: as many as the live one has, whoever has set them. On
 * the way back no more than had all users before: a version that is taken from them may have driven
 * its autoscaler to any number. 0 where no other color is live.
 */
export async function neededSize(cluster: Cluster, { app, color, template }: Taker): Promise<number> {
  const live = await readLiveColor(cluster, app);
  if (live !== otherColor(color)) return 0;
  const serving = (await readDeployment(cluster, app, live))?.spec?.replicas ?? 0;
  return Math.min(serving, (await heldOnTheWayBack(cluster, { app, color, template })) ?? serving);
}

/** How many pods served all users before the last switch, where they are still there to take them back; otherwise undefined. */
export async function heldOnTheWayBack(cluster: Cluster, { app, color, template }: Taker): Promise<number | undefined> {
  if (!isWayBack(await readRelease(cluster, app), { color, template })) return undefined;
  return heldSize(await readAutoscaler(cluster, app, color));
}
