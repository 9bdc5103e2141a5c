import { names, type OwnMetadata } from "../app/names.js";
import { PatchStrategy, setHeaderOptions, type V1ConfigMap, type V1Lease } from "../kubernetes/client.js";
import { appKey, connect, type Cluster, type ClusterRef } from "../kubernetes/cluster.js";
import type { HeldLease } from "../kubernetes/heldLease.js";
import { isUnreleased, takeLease } from "../kubernetes/lease.js";
import { isMissing, orUndefined } from "../kubernetes/requests.js";
import { untilInterrupted } from "../util/interrupt.js";
import { starterGone } from "../util/process.js";
import type { Say, Step } from "../util/step.js";
import { messageOf, UserError } from "../util/userError.js";
import { holderName } from "../util/who.js";

/** An update that was killed keeps the others waiting for so long, and no longer. */
const leaseSeconds = 30;

/** By app: steps of an update run in one process, one after the other. */
const held = new Map<string, HeldLease>();

/**
 * Makes this process the one that releases the app, until `endRelease` or its own end.
 * @returns the id of this release
 * @throws UserError naming who releases it at the moment
 */
export async function beginRelease(
  cluster: Cluster,
  app: string,
  { waitSeconds, say }: { waitSeconds: number; say: Say },
): Promise<string> {
  const name = names.releaseLease(app);
  const answer = await untilInterrupted((interrupted) =>
    takeLease(cluster, name, {
      holder: holderName(),
      seconds: leaseSeconds,
      waitMs: waitSeconds * 1000,
      say,
      signal: AbortSignal.any([interrupted, starterGone()]),
    }),
  ).catch((error: unknown) => {
    throw isMissing(error) ? elsewhere(cluster, app, error) : error;
  });
  if ("heldBy" in answer) {
    throw new UserError({
      code: "BG-LOCK-HELD",
      what: `The release of ${app} was refused: ${answer.heldBy} has been releasing it since ${answer.since}`,
      rule: `one update at a time, and after ${waitSeconds} s that one was still at work (Lease ${cluster.namespace}/${name})`,
      next: `wait for its end, then pulumi up; to wait longer: pulumi config set lockWaitSeconds 600; should it hang, end it, and its lock ends within ${leaseSeconds} s`,
    });
  }
  held.set(appKey(cluster, app), answer.held);
  return answer.held.id;
}

/** The program makes the namespace before the release begins, unless it is in the state already. */
function elsewhere({ config, namespace }: Cluster, app: string, cause: unknown): UserError {
  const context = config.getCurrentContext();
  return new UserError(
    {
      code: "BG-NAMESPACE-NOT-FOUND",
      what: `The release of ${app} was refused: there is no namespace ${namespace} in the cluster of context ${context} (${config.getCurrentCluster()?.server ?? "no server"})`,
      rule: "it is not the cluster that the stack's state is about, or somebody has deleted the namespace",
      next: `kubectl config get-contexts, then pulumi config set context NAME; where ${namespace} was deleted: pulumi up --refresh`,
    },
    { cause },
  );
}

/** The next one may begin. Nothing happens where this process has not begun it. */
export async function endRelease(cluster: Cluster, app: string, id: string): Promise<void> {
  const key = appKey(cluster, app);
  const lease = held.get(key);
  if (lease?.id !== id) return;
  held.delete(key);
  await lease.release();
}

/** Whether a release has begun and never ended: its update has failed, or was killed, or is still at work. */
export function isUnended(cluster: Cluster, app: string, id: string): Promise<boolean> {
  return isUnreleased(cluster, names.releaseLease(app), id);
}

/** Whether it is this process that releases the app. */
export function isReleasing(cluster: Cluster, app: string): boolean {
  return held.get(appKey(cluster, app))?.lost.aborted === false;
}

/** @throws UserError when somebody else may be releasing the app by now: for before traffic moves */
export function refuseLostRelease(cluster: Cluster, app: string): void {
  held.get(appKey(cluster, app))?.lost.throwIfAborted();
}

type ReleaseUnlockInputs = ClusterRef &
  OwnMetadata & {
    app: string;
    /** From the lock that began it. */
    release: string;
  };

type ReleaseUnlockOutputs = { ended: true };

/**
 * The last thing of a release: another update may begin. It runs when the lock has run, and not otherwise.
 */
export const releaseUnlock: Step<ReleaseUnlockInputs, ReleaseUnlockOutputs> = {
  check: () => Promise.resolve([]),

  isNeeded: (last, inputs) =>
    Promise.resolve(last.release !== inputs.release || metadataOf(last) !== metadataOf(inputs)),

  async run({ app, release, labels, annotations, ...where }, say) {
    const cluster = connect(where);
    await endRelease(cluster, app, release);
    // The release is over, whether or not somebody may label its records.
    await labelRecords(cluster, app, { labels, annotations }).catch((error: unknown) => {
      say(`labels and annotations of config are not on the records of ${app}: ${messageOf(error)}`);
    });
    return { ended: true };
  },
};

/** A state from before they were given has none. */
function metadataOf({ labels = {}, annotations = {} }: Partial<OwnMetadata>): string {
  return JSON.stringify([labels, annotations]);
}

const asApply = setHeaderOptions("Content-Type", PatchStrategy.ServerSideApply);
/** By this name the API server takes away what config no longer has, and nothing of anybody else's. */
const fieldManager = "bluegreen-metadata";

/**
 * Gives the ConfigMaps and Leases that steps have written the labels and annotations of config. What they hold stays:
 * whoever renews a Lease meanwhile reads it again.
 */
export async function labelRecords(cluster: Cluster, app: string, metadata: OwnMetadata): Promise<void> {
  const { core, coordination, namespace } = cluster;
  const applied = { namespace, fieldManager, force: true };
  for (const name of [names.release(app), names.history(app), names.incidents(app)]) {
    const found = await orUndefined(core.readNamespacedConfigMap({ name, namespace }));
    if (!isToChange(found, metadata)) continue;
    const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name, ...metadata } };
    await core.patchNamespacedConfigMap({ ...applied, name, body }, asApply);
  }
  for (const name of [names.releaseLease(app), names.analysisLease(app)]) {
    const found = await orUndefined(coordination.readNamespacedLease({ name, namespace }));
    if (!isToChange(found, metadata)) continue;
    const body = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name, ...metadata } };
    await coordination.patchNamespacedLease({ ...applied, name, body }, asApply);
  }
}

/** Where config has none now, those that it had go. */
function isToChange(
  found: V1ConfigMap | V1Lease | undefined,
  { labels, annotations }: OwnMetadata,
): found is V1ConfigMap | V1Lease {
  if (found === undefined) return false;
  const had = found.metadata?.managedFields?.some(({ manager }) => manager === fieldManager) === true;
  return had || Object.keys({ ...labels, ...annotations }).length > 0;
}
