import { colorService, leadTo } from "../activeService.js";
import { otherColor } from "../color.js";
import { readyPodsBehind } from "../gates/endpoints.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { asJsonPatch, held } from "../kubernetes/jsonPatch.js";
import { pointer, type JsonPatch } from "../kubernetes/jsonPointer.js";
import { homeOf } from "../homes.js";
import { names, switchAnnotation } from "../names.js";
import { Refusal } from "../refusal.js";
import { moveUsers } from "../route/move.js";
import type { RouteKind } from "../route/route.js";
import { allOn } from "../route/weights.js";
import { marksAnnotation, readMarks, withMark, type Mark } from "./marks.js";

export interface Back {
  app: string;
  /** What users are taken from, and why: it may not serve them again as it is. */
  mark: Mark;
  /** Of the switch that is undone: a later one is left alone. Undefined where nobody knows. */
  switchId?: string;
  /** How many of 100 users are taken back: all, or the share that they were. */
  share: number;
  /** Whose weights move; null where the active Service is all there is. */
  route: RouteKind | null;
}

/**
 * Users back to the other color: its endpoints are looked at, the edge moves where it has weights,
 * and then the selector and the mark change in one request, so that nobody can find the one without
 * the other. The edge comes first: cut off in between, the Service still says that this has to be
 * done. Two requests in all, or four, each a few milliseconds.
 * @returns false when users were not there any more: somebody else has moved them
 * @throws Refusal when the other color has no ready pod: nothing is switched then
 */
export async function moveBack(cluster: Cluster, { app, mark, switchId, share, route }: Back): Promise<boolean> {
  const { core, namespace } = cluster;
  const name = names.activeService(app);
  const bad = mark.color;
  const good = otherColor(bad);
  const [service, ready] = await Promise.all([core.readNamespacedService({ name, namespace }), readyPodsBehind(cluster, colorService(cluster, app, good))]);
  if (ready.length === 0) {
    throw new Refusal({
      what: `NOTHING WAS SWITCHED: ${bad} (${mark.image}) must go, and ${good} has no ready pod to take its users`,
      rule: `users stay on ${bad}: a color without ready pods would answer nobody. ${mark.reason}`,
      next: `kubectl -n ${homeOf(cluster, good)} get pods -l app=${app}; bring ${good} up (kubectl -n ${homeOf(cluster, good)} scale deployment ${names.deployment(app, good)} --replicas N), then bluegreen rollback`,
    });
  }
  const isShare = share < 100;
  const annotations = service.metadata?.annotations;
  if (service.spec?.selector?.["version"] !== (isShare ? good : bad)) return false;
  if (!isShare && switchId !== undefined && annotations?.[switchAnnotation] !== switchId) return false;
  if (route !== null && !(await moveUsers(cluster, app, route, { weights: allOn(good), active: good, ...(isShare && { switchId }) }))) return false;
  const last = annotations?.[marksAnnotation];
  const is = (key: string, value: string): JsonPatch => [{ op: "test", path: `/metadata/annotations/${pointer(key)}`, value }];
  const { externalName } = leadTo(cluster, app, good);
  const body: JsonPatch = [
    { op: "test", path: "/spec/selector/version", value: isShare ? good : bad },
    ...(switchId === undefined || isShare ? [] : is(switchAnnotation, switchId)),
    // A mark that somebody has written meanwhile is not written over.
    ...(last === undefined ? [] : is(marksAnnotation, last)),
    { op: "replace", path: "/spec/selector/version", value: good },
    ...(externalName === undefined ? [] : [{ op: "replace", path: "/spec/externalName", value: externalName } as const]),
    ...(annotations === undefined ? [{ op: "add", path: "/metadata/annotations", value: {} } as const] : []),
    { op: "add", path: `/metadata/annotations/${pointer(marksAnnotation)}`, value: JSON.stringify(withMark(readMarks(service), mark)) },
  ];
  return held(core.patchNamespacedService({ name, namespace, body }, asJsonPatch));
}
