import { otherColor, namespaceOf, type Color } from "../app/color.js";
import { names, isMadeByProgram, holdAnnotation } from "../app/names.js";
import type { V2HorizontalPodAutoscaler } from "../kubernetes/client.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { readDeployment, scaleDeployment } from "../kubernetes/deployment.js";
import { asMergePatch, mergePatched } from "../kubernetes/patch.js";
import { orUndefined } from "../kubernetes/requests.js";
import { isRollbackTarget, readRelease } from "../state/record.js";
import { readLiveColor } from "../traffic/live.js";
import { untilAnswered } from "../util/poll.js";
import { readOtherScaler } from "./others.js";

/**
 * Gives a color that an autoscaler scales the pods that it needs to take over, and keeps that one
 * from taking them away before traffic has come.
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
 * With how many pods a color may take traffic in a rollback: as many as served it before the last switch, where
 * these are still there, or as many as somebody else's autoscaler has left it; undefined where it is not the
 * rollback target.
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

/**
 * The autoscaler that the program has made for a color; undefined where there is none. One of the same name may be
 * somebody else's.
 */
export async function readAutoscaler(
  cluster: Cluster,
  app: string,
  color: Color,
): Promise<V2HorizontalPodAutoscaler | undefined> {
  const found = await orUndefined(
    cluster.autoscaling.readNamespacedHorizontalPodAutoscaler({
      name: names.autoscaler(app, color),
      namespace: namespaceOf(cluster, color),
    }),
  );
  return isMadeByProgram(found?.metadata, app) ? found : undefined;
}

/** How many pods it has to leave the color; undefined where it may take any. */
export function heldSize(autoscaler: V2HorizontalPodAutoscaler | undefined): number | undefined {
  const text = autoscaler?.metadata?.annotations?.[holdAnnotation];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/**
 * From now on it gives the color pods, and takes none: nothing would be asked of a color without
 * traffic, and it would be small when that comes. Its program says nothing of how it behaves, so that
 * this is nobody's drift.
 */
export async function hold(cluster: Cluster, app: string, color: Color, size: number): Promise<void> {
  await patch(cluster, app, color, {
    metadata: { annotations: { [holdAnnotation]: String(size) } },
    spec: { behavior: { scaleDown: { selectPolicy: "Disabled" } } },
  });
}

/** From now on it may take pods again. */
export async function allowScaleDown(cluster: Cluster, app: string, color: Color): Promise<void> {
  await patch(cluster, app, color, {
    metadata: { annotations: { [holdAnnotation]: null } },
    spec: { behavior: null },
  });
}

/** Nothing scales the color from now on. */
export async function removeAutoscaler(cluster: Cluster, app: string, color: Color): Promise<void> {
  await orUndefined(
    untilAnswered(() =>
      cluster.autoscaling.deleteNamespacedHorizontalPodAutoscaler({
        name: names.autoscaler(app, color),
        namespace: namespaceOf(cluster, color),
      }),
    ),
  );
}

/** One that is not there, or not there any more, takes no pods. */
async function patch(cluster: Cluster, app: string, color: Color, body: object): Promise<void> {
  if ((await readAutoscaler(cluster, app, color)) === undefined) return;
  await orUndefined(
    mergePatched(() =>
      cluster.autoscaling.patchNamespacedHorizontalPodAutoscaler(
        { name: names.autoscaler(app, color), namespace: namespaceOf(cluster, color), body },
        asMergePatch,
      ),
    ),
  );
}
