import type { Cluster } from "../kubernetes/cluster.js";
import { isForbidden, orUndefined } from "../kubernetes/requests.js";
import { UserError } from "../util/userError.js";
import { shellWord } from "../util/bluegreenCommand.js";

/** A namespace as an update finds it. */
export interface FoundNamespace {
  /** As config names it; empty for the kubeconfig's current one. */
  context: string;
  namespace: string;
  /** Address of the API server, for people. */
  server: string;
  /** Undefined where there is no such namespace. */
  uid: string | undefined;
}

/**
 * The namespace that a release goes to. Its uid tells clusters apart, too, without a right on any other
 * namespace: no two clusters have the same, and one that is deleted and made again gets a new one.
 * @returns undefined when the one who asks may not read it
 */
export async function findNamespace(cluster: Cluster, context: string): Promise<FoundNamespace | undefined> {
  const { core, config, namespace } = cluster;
  try {
    const found = await orUndefined(core.readNamespace({ name: namespace }));
    const server = config.getCurrentCluster()?.server ?? "no server";
    return { context, namespace, server, uid: found?.metadata?.uid };
  } catch (error) {
    if (isForbidden(error)) return undefined;
    throw error;
  }
}

/** What an update that went well has left in the state: where it was, and in which of that name. */
export interface LastNamespace {
  context: string;
  namespace: string;
  namespaceUid?: string;
}

/** Whether another namespace of the same name has taken the place of the one that an update knew. */
export function isReplaced(last: LastNamespace, found: FoundNamespace | undefined): boolean {
  const { namespace, namespaceUid = "" } = last;
  return (
    namespaceUid !== "" && found !== undefined && found.namespace === namespace && found.uid !== namespaceUid
  );
}

/**
 * What Pulumi's state says of a namespace is not true of another one, and an update that believes it makes
 * half an app. @returns why there is none; undefined when it is the same
 */
export function refuseReplaced(
  last: LastNamespace,
  found: FoundNamespace | undefined,
): UserError | undefined {
  if (found === undefined || !isReplaced(last, found)) return undefined;
  const { namespace, server, uid } = found;
  const before = short(last.namespaceUid ?? "");
  return new UserError({
    code: "BG-NAMESPACE-REPLACED",
    what: `Namespace ${namespace} in the cluster of ${named(found.context)} (${server}) is not the one that this stack was released to: ${uid === undefined ? `it is not there, and that one had the uid ${before}` : `its uid is ${short(uid)}, and that one's was ${before}`}`,
    rule: "the cluster or the namespace was replaced, or the kubeconfig points to another cluster: what is in the state is not here",
    next:
      last.context === found.context
        ? `kubectl config get-contexts; in the wrong cluster: pulumi config set context NAME; if it was replaced: pulumi up --refresh, which forgets what is gone, deletes nothing, and releases here again`
        : otherContext(last.context, found.context),
  });
}

/** A refresh asks the clusters that the state names: by the old context. */
function otherContext(last: string, context: string): string {
  const back = `pulumi config ${last === "" ? "rm context" : `set context ${shellWord(last)}`}`;
  const instead =
    last === ""
      ? `kubectl config use-context ${shellWord(context)}`
      : `kubectl config delete-context ${shellWord(last)}; kubectl config rename-context ${context === "" ? "NAME" : shellWord(context)} ${shellWord(last)}`;
  return `back to where the app is: ${back}; a second cluster is another stack, or another target (docs/guides/multi-cluster.md); one that takes the place of the old one takes its context, too: ${instead}; ${back}; pulumi up --refresh`;
}

function named(context: string): string {
  return context === "" ? "the current context" : `context ${context}`;
}

/** Enough to tell two apart. */
function short(uid: string): string {
  return `${uid.slice(0, 8)}…`;
}
