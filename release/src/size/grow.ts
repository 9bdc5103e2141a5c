import { PatchStrategy, setHeaderOptions } from "../kubernetes/client.js";
import type { Color } from "../color.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { readDeployment } from "../kubernetes/deployment.js";
import { homeOf } from "../homes.js";
import { names } from "../names.js";
import { hold } from "./autoscaler.js";
import { neededSize, type Taker } from "./neededSize.js";

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

/** As an autoscaler does it: by the Deployment's scale, which then belongs to whoever has set it last. */
export async function scale(cluster: Cluster, app: string, color: Color, replicas: number): Promise<void> {
  await cluster.apps.patchNamespacedDeploymentScale(
    { name: names.deployment(app, color), namespace: homeOf(cluster, color), body: { spec: { replicas } } },
    setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
  );
}
