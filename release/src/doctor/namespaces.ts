import { namespacesOf, podSecurity, type Homes } from "../app/homes.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { orUndefined } from "../kubernetes/orUndefined.js";
import type { Settings } from "../config/settings.js";
import { advice, broken, well, type Finding } from "../util/finding.js";

/** Whether the namespaces are there that the program does not make. */
export async function examineNamespaces(
  cluster: Cluster,
  settings: Homes & Pick<Settings, "createNamespaces">,
): Promise<Finding[]> {
  if (settings.createNamespaces) return [well("namespaces", "the program makes them")];
  return Promise.all(namespacesOf(settings).map((name) => examineNamespace(cluster, name)));
}

async function examineNamespace({ core }: Cluster, name: string): Promise<Finding> {
  const found = await orUndefined(core.readNamespace({ name }));
  if (found === undefined)
    return broken(
      "namespaces",
      `Namespace ${name} is not there, and createNamespaces is false`,
      `kubectl create namespace ${name}`,
    );
  const label = "pod-security.kubernetes.io/enforce";
  if (found.metadata?.labels?.[label] === podSecurity[label])
    return well("namespaces", `${name} is there, and lets no pod have more rights than it needs`);
  return advice(
    "namespaces",
    `${name} is there, and does not enforce the restricted standard, which the app's pods keep`,
    `kubectl label namespace ${name} ${label}=${podSecurity[label]}`,
  );
}
