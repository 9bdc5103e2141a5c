import type { Cluster } from "./cluster.js";
import { messageOf, UserError } from "../util/userError.js";
import { bluegreenPiped } from "../util/bluegreenCommand.js";

/**
 * Whose something is that is made where several stacks may come: on a database server, in a Redis. Namespaces
 * and contexts have defaults, and say nothing of that.
 * @param stack with organization and project
 * @throws UserError when the cluster does not say which one it is
 */
export async function ownerOf({ core }: Cluster, stack: string): Promise<string> {
  try {
    // A cluster has no id of its own; this namespace is there as long as the cluster is.
    const { metadata } = await core.readNamespace({ name: "kube-system" });
    return `stack ${stack} in cluster ${metadata?.uid ?? "without an id"}`;
  } catch (error) {
    throw new UserError(
      {
        code: "BG-CLUSTER-UNIDENTIFIED",
        what: `Stack ${stack} cannot say in which cluster it is`,
        rule: `the uid of namespace kube-system tells clusters apart: ${messageOf(error)}`,
        next: `let the account that runs pulumi read namespaces: ${bluegreenPiped} doctor --rbac`,
      },
      { cause: error },
    );
  }
}
