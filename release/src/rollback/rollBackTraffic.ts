import { colorService, activeServiceSpec } from "../routers/services.js";
import { otherColor, namespaceOf } from "../app/color.js";
import { readyPodsBehind } from "../kubernetes/pods.js";
import type { V1Service } from "../kubernetes/client.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { applyPatch, UnknownOutcomeError } from "../kubernetes/patch.js";
import { pointer, type JsonPatch } from "../kubernetes/jsonPointer.js";
import { names, switchAnnotation } from "../app/names.js";
import { poll } from "../util/poll.js";
import { messageOf, UserError } from "../util/userError.js";
import { moveTraffic, readGiven } from "../traffic/move.js";
import type { RouterName } from "../routers/routers.js";
import { allOn } from "../routers/weights.js";
import {
  activeServiceOf,
  patchBlockedImages,
  readBlockedImages,
  withBlockedImage,
  type BlockedImage,
} from "../state/blockedImages.js";

export interface TrafficRollback {
  app: string;
  /**
   * What traffic is moved away from, and why: it may not serve traffic again as it is. By its id it is known whether
   * this very move was made.
   */
  blocked: BlockedImage & { id: string };
  /** Of the switch that is undone: a later one is left alone. Undefined where nobody knows. */
  switchId?: string;
  /** The percentage of traffic that is rolled back: all of it, or the canary weight. */
  weight: number;
  /** Whose weights move; null where the active Service is all there is. */
  route: RouterName | null;
}

/** For others who write to the active Service at the same moment. */
const changesMs = 10_000;

/**
 * Returns traffic to the other color: its endpoints are checked, the edge moves where it has weights,
 * and then the selector and the blocked image change in one request, so that nobody can find the one without
 * the other. The edge comes first: cut off in between, the Service still says that this has to be
 * done. Of a shift the Service says nothing but the blocked image, which comes first for the same reason.
 * Two requests in all, or four, each a few milliseconds.
 * @returns the blocked image of this move, now or from an earlier try; undefined when traffic was not there any more:
 *   somebody else has moved it
 * @throws UserError when the other color has no ready pod: nothing is switched then
 * @throws UnknownOutcomeError when traffic may have moved, all of it or a part
 */
export async function rollBackTraffic(
  cluster: Cluster,
  back: TrafficRollback,
): Promise<BlockedImage | undefined> {
  const { app, blocked, switchId, weight, route } = back;
  const target = activeServiceOf(cluster, app);
  const good = otherColor(blocked.color);
  const ours = (service: V1Service) => readBlockedImages(service).find(({ id }) => id === blocked.id);
  const move = async (): Promise<{ blocked: BlockedImage | undefined } | undefined> => {
    const [service, ready] = await Promise.all([
      target.read(),
      readyPodsBehind(cluster, colorService(cluster, app, good)),
    ]);
    const there = ours(service);
    if (there !== undefined) return { blocked: there };
    if (!(await isToMove(cluster, service, back))) return { blocked: undefined };
    if (ready.length === 0) throw nobodyReady(cluster, back);
    if (weight === 100 && route !== null)
      await moveTraffic(cluster, app, route, { weights: allOn(good), active: good });
    const blockedImages = withBlockedImage(readBlockedImages(service), blocked);
    const body = [...selectorPatches(cluster, service, back), ...patchBlockedImages(service, blockedImages)];
    const isDone = await applyPatch({ ...target, isDone: (found) => ours(found) !== undefined }, body).catch(
      (error: unknown) => {
        throw weight === 100 && route !== null ? halfMoved(error) : error;
      },
    );
    return isDone ? { blocked: blockedImages.at(-1) } : undefined;
  };
  const moved = await poll(move, { timeoutMs: changesMs, awayMs: changesMs });
  if (moved.blocked !== undefined && weight < 100 && route !== null)
    await moveTraffic(cluster, app, route, { weights: allOn(good), active: good, switchId });
  return moved.blocked;
}

/** Whether traffic is where the switch has moved it. */
async function isToMove(cluster: Cluster, service: V1Service, back: TrafficRollback): Promise<boolean> {
  const { app, blocked, switchId, weight, route } = back;
  const { metadata, spec } = service;
  const isShift = weight < 100;
  if (spec?.selector?.["version"] !== (isShift ? otherColor(blocked.color) : blocked.color)) return false;
  if (switchId === undefined) return true;
  if (!isShift) return metadata?.annotations?.[switchAnnotation] === switchId;
  return route === null || (await readGiven(cluster, app, route))?.switchId === switchId;
}

function selectorPatches(
  cluster: Cluster,
  { metadata }: V1Service,
  { app, blocked, switchId, weight }: TrafficRollback,
): JsonPatch {
  const good = otherColor(blocked.color);
  if (weight < 100) return [{ op: "test", path: "/spec/selector/version", value: good }];
  const { externalName } = activeServiceSpec(cluster, app, good);
  const cameBy = metadata?.annotations?.[switchAnnotation];
  return [
    { op: "test", path: "/spec/selector/version", value: blocked.color },
    ...(switchId === undefined || cameBy === undefined
      ? []
      : ([
          { op: "test", path: `/metadata/annotations/${pointer(switchAnnotation)}`, value: switchId },
        ] as const)),
    { op: "replace", path: "/spec/selector/version", value: good },
    ...(externalName === undefined
      ? []
      : ([{ op: "replace", path: "/spec/externalName", value: externalName }] as const)),
  ];
}

function nobodyReady(cluster: Cluster, { app, blocked }: TrafficRollback): UserError {
  const bad = blocked.color;
  const good = otherColor(bad);
  return new UserError({
    code: "BG-ROLLBACK-FAILED",
    what: `NOTHING WAS SWITCHED: ${bad} (${blocked.image}) must go, and ${good} has no ready pod to take its traffic`,
    rule: `traffic stays on ${bad}: a color without ready pods would answer nobody. ${blocked.reason}`,
    next: `kubectl -n ${namespaceOf(cluster, good)} get pods -l app=${app}; bring ${good} up (kubectl -n ${namespaceOf(cluster, good)} scale deployment ${names.deployment(app, good)} --replicas N), then bluegreen rollback`,
  });
}

function halfMoved(error: unknown): UnknownOutcomeError {
  return new UnknownOutcomeError(
    `traffic at the ingress was moved, and the active Service was not: ${messageOf(error)}`,
    { cause: error },
  );
}
