import { z } from "zod";
import { otherColor, type Color } from "../app/color.js";
import { switchAnnotation } from "../app/names.js";
import { CustomObjectsApi } from "../kubernetes/client.js";
import { connect, type Cluster, type ClusterRef } from "../kubernetes/cluster.js";
import { applyPatch, asJsonPatch, UnknownOutcomeError, type Patched } from "../kubernetes/patch.js";
import type { ObjectAt } from "../kubernetes/jsonPointer.js";
import { orUndefined, withSignal } from "../kubernetes/requests.js";
import type { WeightsIn } from "../routers/router.js";
import { routers, type RouterName } from "../routers/routers.js";
import { sameWeights, canaryWeightOf, type Weights } from "../routers/weights.js";
import { poll } from "../util/poll.js";
import { messageOf, UserError } from "../util/userError.js";
import { readLiveColor } from "./live.js";

/** Who gets what at this moment, as the route's objects say, and the switch that it came by. */
interface Given {
  weights: Weights;
  switchId: string | undefined;
}

const annotated = z.object({
  metadata: z.object({ annotations: z.object({ [switchAnnotation]: z.string().optional() }).default({}) }),
});

/** Undefined where there is no such route yet, or somebody has made something else of it. */
export async function readGiven(
  cluster: Cluster,
  app: string,
  kind: RouterName,
  signal?: AbortSignal,
): Promise<Given | undefined> {
  const weights = weightsIn(kind);
  const found = await readAll(cluster, weights.at(app), signal);
  const given = weights.read(app, found);
  return given && { weights: given, switchId: switchIdOf(found[0]) };
}

/** The percentage of traffic that a color has beside the active one; 0 with a strategy without weights. */
export async function readCanaryWeight(
  cluster: Cluster,
  app: string,
  kind: RouterName | null,
  active: Color,
): Promise<number> {
  if (kind === null) return 0;
  const given = await readGiven(cluster, app, kind);
  return given === undefined ? 0 : canaryWeightOf(given.weights, active);
}

/** For others who move the same weights at the same moment. */
const changesMs = 5000;

/**
 * Moves traffic to these weights, now, without Pulumi: on a rollback. A few milliseconds for each object.
 * @returns false when the switch that was to be undone is not the last one any more
 * @throws UserError when the route is not as the program has made it
 * @throws UnknownOutcomeError when traffic may have moved, all of it or a part
 */
export async function moveTraffic(
  cluster: Cluster,
  app: string,
  kind: RouterName,
  { weights: wanted, active, switchId }: Moving,
): Promise<boolean> {
  const weights = weightsIn(kind);
  const objects = weights.at(app);
  const progress = { isBegun: false };
  const move = async (): Promise<boolean | undefined> => {
    const found = await readAll(cluster, objects);
    const now = weights.read(app, found);
    if (now !== undefined && sameWeights(now, wanted)) return true;
    if (switchId !== undefined && switchIdOf(found[0]) !== switchId) return false;
    const patches = weights.patches(app, found, wanted, active);
    for (const [index, at] of objects.entries()) {
      const body = patches[index];
      if (found[index] === undefined || body === undefined) throw notAsMade(cluster, app, at, found[index]);
      if (!(await applyPatch(objectAt(cluster, at), body))) {
        if (now === undefined) throw notAsMade(cluster, app, at, found[index]);
        return undefined;
      }
      progress.isBegun = true;
    }
    return true;
  };
  try {
    return await poll(move, { timeoutMs: changesMs, awayMs: changesMs });
  } catch (error) {
    throw progress.isBegun
      ? new UnknownOutcomeError(`a part of traffic may have moved: ${messageOf(error)}`, { cause: error })
      : error;
  }
}

function notAsMade(
  { namespace }: Cluster,
  app: string,
  { plural, group, name }: ObjectAt,
  found: unknown,
): UserError {
  return new UserError({
    code: "BG-ROUTER-OBJECT-CHANGED",
    what: `Traffic could not be moved at the ingress: ${plural}.${group} ${namespace}/${name} is ${found === undefined ? "missing" : "not as the program has made it"}`,
    rule: `it has to hold the weights of both colors of ${app}`,
    next: `kubectl -n ${namespace} get ${plural}.${group} ${name} -o yaml; pulumi up --refresh creates it again`,
  });
}

interface Moving {
  weights: Weights;
  /** The color that gets the rest of the traffic. */
  active: Color;
  /** Only while the route is as this switch has left it. */
  switchId?: string | undefined;
}

function switchIdOf(object: unknown): string | undefined {
  return annotated.safeParse(object).data?.metadata.annotations[switchAnnotation];
}

function weightsIn(kind: RouterName): WeightsIn {
  const { weights } = routers[kind];
  if (weights === undefined) throw new Error(`a route of ${kind} has no weights`);
  return weights;
}

/** The path of an object is the same for what Kubernetes brings and for what others have added. */
function api({ config }: Cluster): CustomObjectsApi {
  return config.makeApiClient(CustomObjectsApi);
}

function objectAt(cluster: Cluster, { group, version, plural, name }: ObjectAt): Patched<unknown> {
  const where = { group, version, namespace: cluster.namespace, plural, name };
  return {
    read: () => api(cluster).getNamespacedCustomObject(where) as Promise<unknown>,
    send: (body) => api(cluster).patchNamespacedCustomObject({ ...where, body }, asJsonPatch),
  };
}

function readAll(cluster: Cluster, objects: ObjectAt[], signal?: AbortSignal): Promise<unknown[]> {
  const { namespace } = cluster;
  return Promise.all(
    objects.map(async ({ group, version, plural, name }) =>
      orUndefined(
        api(cluster).getNamespacedCustomObject(
          { group, version, namespace, plural, name },
          signal && withSignal(signal),
        ) as Promise<unknown>,
      ),
    ),
  );
}

/**
 * Whether traffic would move to this color. Decided by the cluster, not by the last
 * run's inputs: a gate that passed before a killed update is no proof for today's flip.
 */
export async function isSwitchPending(inputs: ClusterRef & { app: string; color: Color }): Promise<boolean> {
  return (await readLiveColor(connect(inputs), inputs.app)) !== inputs.color;
}

/** Which percentage of traffic the color is to get. */
export type Move = ClusterRef & { app: string; color: Color; weight: number; route: RouterName | null };

/** Whether traffic would move. Decided by the cluster, not by the last run's inputs. */
export async function isMovePending(move: Move): Promise<boolean> {
  const { app, color, weight, route } = move;
  if (weight === 100) return isSwitchPending(move);
  return (await readCanaryWeight(connect(move), app, route, otherColor(color))) !== weight;
}
