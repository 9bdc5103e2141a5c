import { isColor, type Color } from "./color.js";
import type { Cluster } from "./kubernetes/cluster.js";
import { orUndefined } from "./kubernetes/orUndefined.js";
import { names } from "./names.js";
import { messageOf, Refusal } from "./refusal.js";

/**
 * The color that serves users now, as the cluster says: the active Service's selector.
 * Undefined before the first release, when there is no active Service.
 * @throws Refusal when the selector names neither color: nothing may go on then
 */
export async function readLiveColor(cluster: Cluster, app: string): Promise<Color | undefined> {
  const name = names.activeService(app);
  const service = await orUndefined(cluster.core.readNamespacedService({ name, namespace: cluster.namespace }));
  if (service === undefined) return undefined;
  const version = service.spec?.selector?.["version"];
  if (isColor(version)) return version;
  throw new Refusal({
    what: `The live color of Service ${cluster.namespace}/${name} is unknown: its selector has version=${JSON.stringify(version ?? null)}`,
    rule: "the selector's version must be blue or green before anything may change",
    next: `kubectl -n ${cluster.namespace} patch service ${name} -p '{"spec":{"selector":{"version":"blue"}}}' (or green, whichever is healthy)`,
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

/** A sentence for the end of an error: where live traffic is now. Never throws: the error before it matters more. */
export async function describeLive(cluster: Cluster, app: string): Promise<string> {
  try {
    const live = await readLiveColor(cluster, app);
    return live === undefined ? "No color is live yet." : `Live traffic stays on ${live}.`;
  } catch {
    return "The live color could not be read.";
  }
}
