import { databaseSecret } from "../database/databaseSecret.js";
import { colors } from "../color.js";
import { homeOf } from "../homes.js";
import type { Cluster } from "../kubernetes/cluster.js";
import type { NamespacedName } from "../kubernetes/namespacedName.js";
import { findSecretValues } from "../kubernetes/secretValue.js";
import { secretKeysOf, type Settings } from "../settings/settings.js";
import { broken, well, type Finding } from "./finding.js";

interface Needed extends NamespacedName {
  keys: string[];
}

/** The Secrets that somebody makes by hand, with the keys that pods and the release read from them. */
export async function examineSecrets(cluster: Cluster, settings: Settings): Promise<Finding[]> {
  const found = await Promise.all(neededSecrets(settings).map(async ({ namespace, name, keys }): Promise<Finding[]> => {
    const values = await findSecretValues(cluster, { namespace, name });
    const missing = keys.filter((key) => (values?.[key] ?? "") === "");
    if (values !== undefined && missing.length === 0) return [];
    return [broken("secrets", `Secret ${namespace}/${name} ${values === undefined ? "is not there" : `has no ${missing.join(" and no ")}`}`, createCommand({ namespace, name, keys: values === undefined ? keys : missing }))];
  }));
  const findings = found.flat();
  return findings.length > 0 ? findings : [well("secrets", "every Secret that pods and the release read is there, or config makes it")];
}

/** From a file, so that no shell remembers a value. */
function createCommand({ namespace, name, keys }: Needed): string {
  if (keys.length === 0) return `kubectl -n ${namespace} create secret docker-registry ${name} --from-file=.dockerconfigjson=FILE`;
  return `write ${keys.map((key) => `${key}=…`).join(" and ")} to a file, then kubectl -n ${namespace} create secret generic ${name} --from-env-file=FILE`;
}

/** Each once, with all of its keys: both colors may read it, and several variables. */
function neededSecrets(settings: Settings): Needed[] {
  const { databaseAccount, database: { strategy }, imagePullSecrets, namespace: shared, watcherImage } = settings;
  const pull = (namespace: string) => imagePullSecrets.map((name) => ({ namespace, name, keys: [] }));
  const needed = colors.flatMap((color): Needed[] => {
    const namespace = homeOf(settings, color);
    return [
      ...(databaseAccount !== undefined || strategy === "none" ? [] : [{ namespace, name: databaseSecret(strategy, color), keys: strategy === "shared" ? ["url"] : ["url", "admin-url", "peer-url"] }]),
      ...secretKeysOf(settings, color).map(({ name, key }) => ({ namespace, name, keys: [key] })),
      ...pull(namespace),
    ];
  });
  const whole = new Map<string, Needed>();
  // The watcher is in the app's namespace, wherever the colors are.
  for (const each of [...needed, ...(watcherImage === undefined ? [] : pull(shared))]) {
    const at = `${each.namespace}/${each.name}`;
    whole.set(at, { ...each, keys: [...new Set([...(whole.get(at)?.keys ?? []), ...each.keys])] });
  }
  return [...whole.values()];
}
