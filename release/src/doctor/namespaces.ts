import { homesOf } from "../homes.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { orUndefined } from "../kubernetes/orUndefined.js";
import type { Settings } from "../settings/settings.js";
import { advice, broken, well, type Finding } from "./finding.js";

const podSecurityLabel = "pod-security.kubernetes.io/enforce";

/** Whether the namespaces are there that the program does not make. */
export async function examineNamespaces(cluster: Cluster, settings: Pick<Settings, "namespace" | "isolation" | "makeNamespaces">): Promise<Finding[]> {
  if (!settings.makeNamespaces) return Promise.all([...new Set([settings.namespace, ...homesOf(settings)])].map((name) => examineNamespace(cluster, name)));
  return [well("namespaces", "the program makes them")];
}

async function examineNamespace({ core }: Cluster, name: string): Promise<Finding> {
  const found = await orUndefined(core.readNamespace({ name }));
  if (found === undefined) return broken("namespaces", `Namespace ${name} is not there, and makeNamespaces is false`, `kubectl create namespace ${name}`);
  if (found.metadata?.labels?.[podSecurityLabel] === "restricted") return well("namespaces", `${name} is there, and lets no pod have more rights than it needs`);
  return advice("namespaces", `${name} is there, and does not enforce the restricted standard, which the app's pods keep`, `kubectl label namespace ${name} ${podSecurityLabel}=restricted`);
}
