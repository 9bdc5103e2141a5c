import { otherColor } from "../color.js";
import { readyPodsBehind } from "../gates/endpoints.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { asJsonPatch, held, pointer, type JsonPatch } from "../kubernetes/jsonPatch.js";
import { names, switchAnnotation } from "../names.js";
import { Refusal } from "../refusal.js";
import { marksAnnotation, readMarks, withMark, type Mark } from "./marks.js";

export interface Back {
  app: string;
  /** What users are taken from, and why: it may not serve them again as it is. */
  mark: Mark;
  /** Of the switch that is undone: a later one is left alone. Undefined where nobody knows. */
  switchId?: string;
}

/**
 * Users back to the other color: its endpoints are looked at, and then the selector and the mark
 * change in one request, so that nobody can find the one without the other. Two requests in all,
 * each a few milliseconds.
 * @returns false when users were not there any more: somebody else has moved them
 * @throws Refusal when the other color has no ready pod: nothing is switched then
 */
export async function moveBack(cluster: Cluster, { app, mark, switchId }: Back): Promise<boolean> {
  const { core, namespace } = cluster;
  const name = names.activeService(app);
  const bad = mark.color;
  const good = otherColor(bad);
  const [service, ready] = await Promise.all([core.readNamespacedService({ name, namespace }), readyPodsBehind(cluster, names.colorService(app, good))]);
  if (ready.length === 0) {
    throw new Refusal({
      what: `NOTHING WAS SWITCHED: ${bad} (${mark.image}) must go, and ${good} has no ready pod to take its users`,
      rule: `users stay on ${bad}: a color without ready pods would answer nobody. ${mark.reason}`,
      next: `kubectl -n ${namespace} get pods -l app=${app}; bring ${good} up (kubectl -n ${namespace} scale deployment ${names.deployment(app, good)} --replicas N), then bluegreen rollback`,
    });
  }
  const last = service.metadata?.annotations?.[marksAnnotation];
  const is = (key: string, value: string): JsonPatch => [{ op: "test", path: `/metadata/annotations/${pointer(key)}`, value }];
  const body: JsonPatch = [
    { op: "test", path: "/spec/selector/version", value: bad },
    ...(switchId === undefined ? [] : is(switchAnnotation, switchId)),
    // A mark that somebody has written meanwhile is not written over.
    ...(last === undefined ? [] : is(marksAnnotation, last)),
    { op: "replace", path: "/spec/selector/version", value: good },
    ...(service.metadata?.annotations === undefined ? [{ op: "add", path: "/metadata/annotations", value: {} } as const] : []),
    { op: "add", path: `/metadata/annotations/${pointer(marksAnnotation)}`, value: JSON.stringify(withMark(readMarks(service), mark)) },
  ];
  return held(core.patchNamespacedService({ name, namespace, body }, asJsonPatch));
}
