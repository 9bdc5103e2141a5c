import { isColor, colorNamespacesOf, type Color } from "../app/color.js";
import { appLabels, activeColorAnnotation, activeColorKey, names } from "../app/names.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { mergeData, readData } from "../kubernetes/jsonConfigMap.js";
import { asMergePatch, mergePatched } from "../kubernetes/patch.js";
import { orUndefined } from "../kubernetes/requests.js";
import { podsMounting, whereIs } from "../kubernetes/pods.js";
import { mapBounded } from "../util/mapBounded.js";
import { messageOf } from "../util/userError.js";
import type { Say } from "../util/step.js";

/** What the file says: the live color, or that none is, which is what it says while traffic moves. */
export type SaidColor = Color | "";

/** What the file says in each namespace that has a color in it. */
export function readSaidColor(cluster: Cluster, app: string): Promise<SaidColor[]> {
  return Promise.all(
    colorNamespacesOf(cluster).map(async (namespace) => {
      const said = (await readData({ ...cluster, namespace }, names.activeColor(app)))[activeColorKey];
      return isColor(said) ? said : "";
    }),
  );
}

/** Lets the file say it, to whichever pod starts from now on too, and tells those of a color at once. */
export async function sayColor(
  cluster: Cluster,
  { app, said, tell }: { app: string; said: SaidColor; tell: Color },
  say: Say,
): Promise<void> {
  for (const namespace of colorNamespacesOf(cluster))
    await mergeData({ ...cluster, namespace }, names.activeColor(app), appLabels(app), {
      [activeColorKey]: said,
    });
  await touchPods(cluster, { app, said, tell }, say);
}

/** So many at the same time. */
const atOnce = 10;
/** All of them: one that is not touched by then gets its file all the same, later. */
const touchMs = 10_000;
/** More than that is a list for nobody. */
const shown = 5;

/** A kubelet looks after the files of a pod that changes at once, and after all others once in a minute. */
async function touchPods(
  cluster: Cluster,
  { app, said, tell }: { app: string; said: SaidColor; tell: Color },
  say: Say,
): Promise<void> {
  const sayLate = (why: string) => {
    say(
      `not told at once that the live color changes: ${why}; kubelets bring the file within about a minute`,
    );
  };
  try {
    const pods = await podsMounting(cluster, tell, names.activeColor(app));
    const body = { metadata: { annotations: { [activeColorAnnotation]: said } } };
    const until = performance.now() + touchMs;
    const each = await mapBounded(pods, atOnce, async (pod) => {
      const at = whereIs(pod);
      const awayMs = until - performance.now();
      if (awayMs <= 0) return [`${at.name} (no time left)`];
      const patch = () => cluster.core.patchNamespacedPod({ ...at, body }, asMergePatch);
      try {
        // One that is gone by now takes no job.
        await orUndefined(mergePatched(patch, { awayMs }));
        return [];
      } catch (error) {
        return [`${at.name} (${messageOf(error)})`];
      }
    });
    const failed = each.flat();
    if (failed.length > 0)
      sayLate(
        `${failed.length} of ${pods.length} pods of ${tell}, ${failed.slice(0, shown).join(", ")}${failed.length > shown ? ", …" : ""}`,
      );
  } catch (error) {
    sayLate(`pods of ${tell}, which could not be listed: ${messageOf(error)}`);
  }
}
