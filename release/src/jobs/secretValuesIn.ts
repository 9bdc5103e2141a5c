import type { V1PodSpec } from "../kubernetes/client.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { isForbidden } from "../kubernetes/orUndefined.js";
import { findSecretValues } from "../kubernetes/secretValue.js";

/**
 * The values that a pod's containers take from Secrets, so that nobody is shown them. A Secret that is not there,
 * or may not be read, has none: the pod says so itself.
 */
export async function secretValuesIn(
  cluster: Cluster,
  namespace: string,
  { containers, initContainers = [] }: V1PodSpec,
): Promise<string[]> {
  const all = [...containers, ...initContainers];
  const keys = all
    .flatMap(({ env = [] }) => env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef ?? []))
    .map(({ name, key }) => ({ name, key }));
  const whole = all
    .flatMap(({ envFrom = [] }) => envFrom.flatMap(({ secretRef }) => secretRef?.name ?? []))
    .map((name) => ({ name, key: undefined }));
  const wanted = [...keys, ...whole];
  const secrets = new Map(
    await Promise.all(
      [...new Set(wanted.flatMap(({ name }) => name ?? []))].map(
        async (name) => [name, await read(cluster, namespace, name)] as const,
      ),
    ),
  );
  return wanted.flatMap(({ name = "", key }) => {
    const values = secrets.get(name) ?? {};
    return key === undefined ? Object.values(values) : (values[key] ?? []);
  });
}

async function read(cluster: Cluster, namespace: string, name: string): Promise<Record<string, string>> {
  try {
    return (await findSecretValues(cluster, { namespace, name })) ?? {};
  } catch (error) {
    if (isForbidden(error)) return {};
    throw error;
  }
}
