import { UserError } from "../util/userError.js";
import type { Cluster } from "./cluster.js";
import type { NamespacedName } from "../app/color.js";
import { orUndefined } from "./requests.js";

type Keys = [string, ...string[]];

/**
 * The plain text of one key of a Secret. Read where it is used, so that it never becomes an
 * input, a state or a log line of anything.
 * @param keys tried in this order; the first that exists is taken
 * @throws UserError when there is no such Secret or key
 */
export async function readSecretValue(
  cluster: Cluster,
  secret: NamespacedName,
  ...keys: Keys
): Promise<string> {
  const value = await findSecretValue(cluster, secret, ...keys);
  if (value !== undefined) return value;
  const { namespace, name } = secret;
  throw new UserError({
    code: "BG-SECRET-MISSING",
    what: `Secret ${namespace}/${name} is missing, or has no key ${keys.join(" or ")}`,
    rule: `the release reads ${keys.join(" or ")} from it`,
    next: `write ${keys[0]}=… to a file, kubectl -n ${namespace} create secret generic ${name} --from-env-file=FILE, then pulumi up`,
  });
}

/** The same, where it may not be there yet. */
export async function findSecretValue(
  cluster: Cluster,
  secret: NamespacedName,
  ...keys: Keys
): Promise<string | undefined> {
  const values = await findSecretValues(cluster, secret);
  return keys.map((key) => values?.[key]).find((value) => value !== undefined);
}

/** The plain texts of a whole Secret by key; undefined where there is no such Secret. */
export async function findSecretValues(
  cluster: Cluster,
  { namespace, name }: NamespacedName,
): Promise<Record<string, string> | undefined> {
  const secret = await orUndefined(cluster.core.readNamespacedSecret({ name, namespace }));
  if (secret === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(secret.data ?? {}).map(([key, encoded]) => [
      key,
      Buffer.from(encoded, "base64").toString("utf8"),
    ]),
  );
}
