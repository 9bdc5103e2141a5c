import { type Color, otherColor } from "../app/color.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { readDeployment, scaleDeployment } from "../kubernetes/deployment.js";
import { namespaceOf } from "../app/namespaces.js";
import { names } from "../app/names.js";
import { hold, heldSize, readAutoscaler } from "./autoscaler.js";
import { readOtherScaler } from "./otherScaler.js";
import { readLiveColor } from "../traffic/live.js";
import { isRollbackTarget, readRelease } from "../state/record.js";

/**
 * Gives a color that an autoscaler scales the pods that it needs to take over, and keeps that one
 * from taking them away before users have come.
 * @returns how many it needs; 0 where it takes over from nobody
 */
export async function growToTakeOver(cluster: Cluster, taker: Taker): Promise<number> {
  const needed = await neededSize(cluster, taker);
  if (needed === 0) return 0;
  await hold(cluster, taker.app, taker.color, needed);
  await growTo(cluster, taker.app, taker.color, needed);
  return needed;
}

/** Never takes pods away. */
export async function growTo(cluster: Cluster, app: string, color: Color, replicas: number): Promise<void> {
  const deployment = await readDeployment(cluster, app, color);
  if ((deployment?.spec?.replicas ?? 0) < replicas) await scale(cluster, app, color, replicas);
}

export function scale(cluster: Cluster, app: string, color: Color, replicas: number): Promise<void> {
  const at = { name: names.deployment(app, color), namespace: namespaceOf(cluster, color) };
  return scaleDeployment(cluster, at, replicas);
}

export interface Taker {
  app: string;
  color: Color;
  /** Hash of the pod template that takes over. */
  template: string;
}

/**
 * How many pods a color needs to take over: as many as the live one has, whoever has set them. On
 * the rollback no more than had all traffic before: a version that is rolled back may have driven
 * its autoscaler to any number. 0 where no other color is live.
 */
export async function neededSize(cluster: Cluster, { app, color, template }: Taker): Promise<number> {
  const live = await readLiveColor(cluster, app);
  if (live !== otherColor(color)) return 0;
  const serving = (await readDeployment(cluster, app, live))?.spec?.replicas ?? 0;
  return Math.min(serving, (await heldForRollback(cluster, { app, color, template })) ?? serving);
}

/**
 * With how many pods a color may take traffic in a rollback: as many as served it before the last switch, where these are
 * still there, or as many as somebody else's autoscaler has left it; undefined where it is not the rollback target.
 */
export async function heldForRollback(
  cluster: Cluster,
  { app, color, template }: Taker,
): Promise<number | undefined> {
  if (!isRollbackTarget(await readRelease(cluster, app), { color, template })) return undefined;
  const held = heldSize(await readAutoscaler(cluster, app, color));
  if (held !== undefined) return held;
  // Somebody else's autoscaler has left it what a color without load needs, and gives it more when traffic comes:
  // the rollback is not refused for that.
  const other = await readOtherScaler(cluster, app, color);
  return other && ((await readDeployment(cluster, app, color))?.spec?.replicas ?? 0);
}
