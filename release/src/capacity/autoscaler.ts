import type { V2HorizontalPodAutoscaler } from "../kubernetes/client.js";
import type { Color } from "../app/color.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { namespaceOf } from "../app/namespaces.js";
import { isMadeByProgram } from "../app/labels.js";
import { asMergePatch, mergePatched } from "../kubernetes/mergePatch.js";
import { orUndefined } from "../kubernetes/orUndefined.js";
import { holdAnnotation, names } from "../app/names.js";
import { untilAnswered } from "../util/poll.js";

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
 * users, and it would be small when they come. Its program says nothing of how it behaves, so that
 * this is nobody's drift.
 */
export async function hold(cluster: Cluster, app: string, color: Color, size: number): Promise<void> {
  await patch(cluster, app, color, {
    metadata: { annotations: { [holdAnnotation]: String(size) } },
    spec: { behavior: { scaleDown: { selectPolicy: "Disabled" } } },
  });
}

/** From now on it may take pods again. */
export async function letGo(cluster: Cluster, app: string, color: Color): Promise<void> {
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
