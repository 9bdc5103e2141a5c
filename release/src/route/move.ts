import { CustomObjectsApi } from "../kubernetes/client.js";
import { z } from "zod";
import type { Color } from "../color.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { asJsonPatch, held } from "../kubernetes/jsonPatch.js";
import type { ObjectAt } from "../kubernetes/objectAt.js";
import { orUndefined } from "../kubernetes/orUndefined.js";
import { withSignal } from "../kubernetes/withSignal.js";
import { switchAnnotation } from "../names.js";
import { Refusal } from "../refusal.js";
import type { RouteKind, WeightsIn } from "./route.js";
import { routes } from "./routes.js";
import { sameWeights, shareOf, type Weights } from "./weights.js";

/** Who gets what at this moment, as the route's objects say, and the switch that it came by. */
export interface Given {
  weights: Weights;
  switchId: string | undefined;
}

const annotated = z.object({ metadata: z.object({ annotations: z.object({ [switchAnnotation]: z.string().optional() }).default({}) }) });

/** Undefined where there is no such route yet, or somebody has made something else of it. */
export async function readGiven(cluster: Cluster, app: string, kind: RouteKind, signal?: AbortSignal): Promise<Given | undefined> {
  const weights = weightsIn(kind);
  const found = await readAll(cluster, weights.at(app), signal);
  const given = weights.read(app, found);
  return given && { weights: given, switchId: switchIdOf(found[0]) };
}

/** The part of the users that a color has beside the active one; 0 in a mode without weights. */
export async function readShare(cluster: Cluster, app: string, kind: RouteKind | null, active: Color): Promise<number> {
  if (kind === null) return 0;
  const given = await readGiven(cluster, app, kind);
  return given === undefined ? 0 : shareOf(given.weights, active);
}

/**
 * Gives users by these weights, now, without Pulumi: on the way back. A few milliseconds for each object.
 * @returns false when the switch that was to be undone is not the last one any more
 * @throws Refusal when the route is not as the program has made it
 */
export async function moveUsers(cluster: Cluster, app: string, kind: RouteKind, { weights: wanted, active, switchId }: Moving): Promise<boolean> {
  const weights = weightsIn(kind);
  const objects = weights.at(app);
  const found = await readAll(cluster, objects);
  const now = weights.read(app, found);
  if (now !== undefined && sameWeights(now, wanted)) return true;
  if (switchId !== undefined && switchIdOf(found[0]) !== switchId) return false;
  const patches = weights.patches(app, found, wanted, active);
  for (const [index, { group, version, plural, name }] of objects.entries()) {
    const body = patches[index];
    const { namespace } = cluster;
    if (found[index] !== undefined && body !== undefined && (await held(api(cluster).patchNamespacedCustomObject({ group, version, namespace, plural, name, body }, asJsonPatch)))) continue;
    throw new Refusal({
      what: `Users could not be moved at the edge: ${plural}.${group} ${namespace}/${name} is ${found[index] === undefined ? "missing" : "not as the program has made it"}`,
      rule: `it has to hold the weights of both colors of ${app}`,
      next: `kubectl -n ${namespace} get ${plural}.${group} ${name} -o yaml; pulumi up --refresh makes it anew`,
    });
  }
  return true;
}

export interface Moving {
  weights: Weights;
  /** The color that gets whoever is not shared out. */
  active: Color;
  /** Only while the route is as this switch has left it. */
  switchId?: string | undefined;
}

function switchIdOf(object: unknown): string | undefined {
  return annotated.safeParse(object).data?.metadata.annotations[switchAnnotation];
}

function weightsIn(kind: RouteKind): WeightsIn {
  const { weights } = routes[kind];
  if (weights === undefined) throw new Error(`a route of ${kind} has no weights`);
  return weights;
}

/** The path of an object is the same for what Kubernetes brings and for what others have added. */
function api({ config }: Cluster): CustomObjectsApi {
  return config.makeApiClient(CustomObjectsApi);
}

function readAll(cluster: Cluster, objects: ObjectAt[], signal?: AbortSignal): Promise<unknown[]> {
  const { namespace } = cluster;
  return Promise.all(objects.map(async ({ group, version, plural, name }) => orUndefined(api(cluster).getNamespacedCustomObject({ group, version, namespace, plural, name }, signal && withSignal(signal)) as Promise<unknown>)));
}
