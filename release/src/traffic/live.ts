import { z } from "zod";
import { isColor, colorNamespacesOf, colors, type Color } from "../app/color.js";
import { names } from "../app/names.js";
import type { Cluster, ClusterRef } from "../kubernetes/cluster.js";
import { followObject } from "../kubernetes/followObject.js";
import { orUndefined } from "../kubernetes/requests.js";
import { activeServiceSpec } from "../routers/services.js";
import { weightObjects, type RouterName } from "../routers/routers.js";
import { shellWord } from "../util/bluegreenCommand.js";
import { messageOf, UserError } from "../util/userError.js";

/**
 * The color that serves traffic now, as the cluster says: the active Service's selector.
 * Undefined before the first release, when there is no active Service.
 * @throws UserError when the selector names neither color, or traffic goes elsewhere: nothing may continue then
 */
export async function readLiveColor(cluster: Cluster, app: string): Promise<Color | undefined> {
  const name = names.activeService(app);
  const service = await orUndefined(
    cluster.core.readNamespacedService({ name, namespace: cluster.namespace }),
  );
  if (service === undefined) return undefined;
  const { namespace, namespacePerColor } = cluster;
  const version = service.spec?.selector?.["version"];
  const externalName = service.spec?.type === "ExternalName" ? service.spec.externalName : undefined;
  if ((externalName !== undefined) !== namespacePerColor) throw otherNamespaces(cluster, app);
  if (isColor(version) && externalName === activeServiceSpec(cluster, app, version).externalName)
    return version;
  const { selector, externalName: byName } = activeServiceSpec(cluster, app, "blue");
  const patch = {
    spec: { selector: { version: selector.version }, ...(byName !== undefined && { externalName: byName }) },
  };
  throw new UserError({
    code: "BG-LIVE-COLOR-UNKNOWN",
    what: `The live color of Service ${namespace}/${name} is unknown: its selector has version=${JSON.stringify(version ?? null)}${externalName === undefined ? "" : `, its externalName is ${externalName}`}`,
    rule: `the selector's version must be blue or green${externalName === undefined ? "" : ", and the externalName of the same color,"} before anything may change`,
    next: `kubectl -n ${namespace} patch service ${name} -p ${shellWord(JSON.stringify(patch))} (or green, whichever is healthy)`,
  });
}

/**
 * Of whatever needs an active color, where there is none: before the first release, or in the wrong
 * cluster.
 */
export function noActiveService({ config, namespace }: Cluster, app: string, what: string): UserError {
  return new UserError({
    code: "BG-ACTIVE-SERVICE-MISSING",
    what,
    rule: `namespace ${namespace} has no active Service of ${app} in the cluster of context ${config.getCurrentContext()}`,
    next: "pulumi up makes the first release; where there was one, that is another cluster: kubectl config get-contexts, then pulumi config set context NAME",
  });
}

/**
 * Objects cannot move: users would lose the color that they are on, to have it made again in another
 * namespace.
 */
function otherNamespaces(cluster: Cluster, app: string): UserError {
  const { namespace, namespacePerColor } = cluster;
  return new UserError({
    code: "BG-NAMESPACE-PER-COLOR-CHANGED",
    what: `namespacePerColor ${namespacePerColor} was refused: the active color is in ${namespacePerColor ? `namespace ${namespace}` : `a namespace of its own, ${colorNamespacesOf({ namespace, namespacePerColor: true }).join(" or ")}`}`,
    rule: "it would be deleted there, with its traffic, and re-created elsewhere",
    next: `pulumi config set namespacePerColor ${!namespacePerColor}; to move ${app}, release another stack with another namespace beside this one, and point the host name there (docs/guides/namespace-per-color.md#namespaces)`,
  });
}

/** Does a part of a release; an error on the way also says where live traffic is. */
export async function sayingWhatIsLive<T>(cluster: Cluster, app: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new Error(`${messageOf(error)}\n${await describeLive(cluster, app)}`, { cause: error });
  }
}

/**
 * A sentence for the end of an error: where live traffic is now. Never throws: the error before it matters
 * more.
 */
export async function describeLive(cluster: Cluster, app: string): Promise<string> {
  try {
    const live = await readLiveColor(cluster, app);
    return live === undefined ? "No color is live yet." : `Live traffic stays on ${live}.`;
  } catch {
    return "The live color could not be read.";
  }
}

interface FollowTraffic {
  /**
   * Where the active Service points: the color, or undefined where there is no such Service any more or it
   * points to neither.
   */
  live: (color: Color | undefined) => void;
  /** An object that holds the weights of both colors has changed. */
  weights: () => void;
}

const pointsTo = z.object({ spec: z.object({ selector: z.object({ version: z.enum(colors) }) }) });

/** Tells what moves traffic, at once and each time that it changes, until the signal comes. */
export async function followTraffic(
  where: ClusterRef & { app: string; route: RouterName | null },
  { live, weights }: FollowTraffic,
  signal: AbortSignal,
): Promise<void> {
  const service = { group: "", version: "v1", plural: "services", name: names.activeService(where.app) };
  await Promise.all([
    followObject(
      where,
      service,
      (found) => {
        live(pointsTo.safeParse(found).data?.spec.selector.version);
      },
      signal,
    ),
    ...weightObjects(where.route, where.app).map((at) => followObject(where, at, weights, signal)),
  ]);
}
