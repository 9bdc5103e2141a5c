import type { Cluster } from "./cluster.js";
import { orUndefined } from "./orUndefined.js";
import { Refusal } from "../refusal.js";

/**
 * The plain text of one key of a Secret. Read where it is used, so that it never becomes an
 * input, a state or a log line of anything.
 * @param keys tried in this order; the first that exists is taken
 */
export async function readSecretValue(cluster: Cluster, name: string, ...keys: [string, ...string[]]): Promise<string> {
  const secret = await orUndefined(cluster.core.readNamespacedSecret({ name, namespace: cluster.namespace }));
  const encoded = keys.map((key) => secret?.data?.[key]).find((value) => value !== undefined);
  if (encoded !== undefined) return Buffer.from(encoded, "base64").toString("utf8");
  throw new Refusal({
    what: `Secret ${cluster.namespace}/${name} ${secret === undefined ? "is missing" : `has no key ${keys.join(" or ")}`}`,
    rule: `the release reads ${keys.join(" or ")} from it`,
    next: `kubectl -n ${cluster.namespace} create secret generic ${name} --from-literal=${keys[0]}=…, then pulumi up`,
  });
}
