import { connect, type Cluster, type ClusterRef } from "../kubernetes/cluster.js";
import type { ColorNamespaces } from "../app/color.js";
import { withSignal } from "../kubernetes/requests.js";
import { messageOf, UserError } from "../util/userError.js";
import type { Member, Together } from "../config/clusters.js";

/** In one cluster of several, or in the only one. */
export type InCluster = ClusterRef & { app: string; together: Together | null };

/** Long enough for a proxy far away, and no minute that users on a bad version would have to wait. */
const answerMs = 10_000;

/**
 * @param member its name is null where it is the only one
 * @throws UserError naming the cluster when it does not answer
 */
export async function reach(
  { name, context }: Omit<Member, "name"> & { name: string | null },
  namespaces: ColorNamespaces,
): Promise<Cluster> {
  const { namespace } = namespaces;
  const cluster = connect({ ...namespaces, context });
  try {
    await cluster.core.listNamespacedService(
      { namespace, limit: 1 },
      withSignal(AbortSignal.timeout(answerMs)),
    );
    return cluster;
  } catch (error) {
    throw new UserError(
      {
        code: "BG-CLUSTER-UNREACHABLE",
        what: `${name === null ? "The cluster" : `Cluster ${name}`} (${context === "" ? "current context" : `context ${context}`}) was not reached`,
        rule: messageOf(error).trim(),
        next: `kubectl${context === "" ? "" : ` --context ${context}`} -n ${namespace} get services; then the command again`,
      },
      { cause: error },
    );
  }
}

/**
 * Does it in each of the others, and gives what came of it. @throws UserError when one of them does not answer
 */
export function inOthers<T>(
  { namespace, namespacePerColor, together }: InCluster,
  work: (cluster: Cluster, member: Member) => Promise<T>,
): Promise<T[]> {
  return Promise.all(
    (together?.others ?? []).map(async (member) =>
      work(await reach(member, { namespace, namespacePerColor }), member),
    ),
  );
}
