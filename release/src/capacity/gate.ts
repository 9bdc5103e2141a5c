import type { V1ResourceQuota } from "../kubernetes/client.js";
import { colors, otherColor, type Color } from "../color.js";
import { homeOf, homesOf } from "../homes.js";
import { connect, type Cluster, type ClusterRef } from "../kubernetes/cluster.js";
import { readDeployment, templateOf } from "../kubernetes/deployment.js";
import { orUndefined } from "../kubernetes/orUndefined.js";
import { readLiveColor } from "../live.js";
import { names } from "../names.js";
import { messageOf, Refusal } from "../refusal.js";
import { isWayBack, readRelease } from "../releases/record.js";
import type { Sizes } from "../settings/sizes.js";
import { shellWord } from "../shellWord.js";
import { readAutoscaler } from "../size/autoscaler.js";
import { neededSize } from "../size/neededSize.js";
import type { Step, Violation } from "../step.js";
import { asQuantity, podOf, sumOf, type Counted, type Resources } from "./amounts.js";
import { whatDoesNotFit, type Misfit, type Quota } from "./fit.js";
import { surgeOf, watcherResources } from "./room.js";

export type CapacityInputs = ClusterRef &
  Sizes & {
    app: string;
    activeColor: Color;
    /** Hash of each color's wanted pod template; null for a color that is not deployed. */
    templates: Record<Color, string | null>;
    /** Of a pod of either color. */
    resources: Resources;
    /** Limits of the quota that the program makes; empty where it makes none. */
    quota: Partial<Record<Counted, string>>;
    /** Whether there is to be a watcher in the cluster. */
    watcher: boolean;
  };

/**
 * Asks before anything moves whether there is room for it: for the pods of both colors, in every
 * quota of their namespaces, whoever has made it. In preview too, so that a pull request fails.
 */
export const capacityGate: Step<CapacityInputs, Record<string, never>> = {
  async check(inputs) {
    try {
      const cluster = connect(inputs);
      return [...(await refuseSmallerLive(cluster, inputs)), ...(await refuseNoRoom(cluster, inputs))];
    } catch (error) {
      return [{ property: "replicas", reason: messageOf(error) }];
    }
  },

  // The question is all there is to it, and it is asked in every update.
  isNeeded: () => Promise.resolve(false),
  run: () => Promise.resolve({}),
};

/** Without its autoscaler the live color would fall to the number of config, under the load that it was scaled for. */
async function refuseSmallerLive(cluster: Cluster, { app, replicas, maxReplicas }: CapacityInputs): Promise<Violation[]> {
  if (maxReplicas > 0) return [];
  const live = await readLiveColor(cluster, app);
  if (live === undefined || (await readAutoscaler(cluster, app, live)) === undefined) return [];
  const serving = (await readDeployment(cluster, app, live))?.spec?.replicas ?? 0;
  if (serving <= replicas) return [];
  const refusal = new Refusal({
    what: `To take the autoscaler from ${live} was refused: it serves users with ${serving} pods, and would be left with ${replicas}`,
    rule: "the color that serves users does not lose pods by a setting that is gone",
    next: `pulumi config set replicas ${serving} && pulumi up; then less, step by step`,
  });
  return [{ property: "replicas", reason: refusal.message }];
}

async function refuseNoRoom(cluster: Cluster, inputs: CapacityInputs): Promise<Violation[]> {
  const namespaces = [...new Set([...homesOf(cluster), cluster.namespace])];
  const quotas = await Promise.all(namespaces.map(async (namespace) => ({ namespace, items: (await cluster.core.listNamespacedResourceQuota({ namespace })).items })));
  if (quotas.every(({ items }) => items.length === 0)) return [];
  const comers = (await isRollback(cluster, inputs)) ? [inputs.activeColor] : colors;
  const parts = await Promise.all([...comers.map(async (color) => ({ namespace: homeOf(cluster, color), pods: await newPods(cluster, inputs, color), of: podOf(inputs.resources) })), newWatcher(cluster, inputs)]);
  return quotas.flatMap(({ namespace, items }) => {
    const wanted = sumOf(...parts.filter((part) => part.namespace === namespace));
    return whatDoesNotFit(items.map((item) => quotaOf(item, inputs)), wanted).map((misfit) => ({ property: "replicas", reason: noRoom(misfit, namespace, wanted.pods, inputs).message }));
  });
}

/** Users who go back do not wait for room for what they leave. */
async function isRollback(cluster: Cluster, { app, activeColor, templates }: CapacityInputs): Promise<boolean> {
  const [live, release] = await Promise.all([readLiveColor(cluster, app), readRelease(cluster, app)]);
  return live === otherColor(activeColor) && isWayBack(release, { color: activeColor, template: templates[activeColor] ?? "" });
}

function quotaOf({ metadata, spec, status }: V1ResourceQuota, { app, quota: limits }: CapacityInputs): Quota {
  const name = metadata?.name ?? "";
  const scopes = [...(spec?.scopes ?? []), ...(spec?.scopeSelector?.matchExpressions?.map(({ scopeName }) => scopeName) ?? [])];
  // The program's own is about to have the limits of config.
  const hard = name === names.quota(app) ? { ...spec?.hard, ...limits } : (spec?.hard ?? {});
  return { name, scopes, hard, used: status?.used ?? {} };
}

/** Pods of a color that are not there yet: those that it lacks, and those of a rolling update that come before old ones go. */
async function newPods(cluster: Cluster, { app, activeColor, templates, replicas }: CapacityInputs, color: Color): Promise<number> {
  const template = templates[color];
  if (template === null) return 0;
  const [deployment, needed] = await Promise.all([readDeployment(cluster, app, color), color === activeColor ? neededSize(cluster, { app, color, template }) : 0]);
  const running = deployment?.status?.replicas ?? 0;
  const wanted = Math.max(replicas, needed);
  const rolls = running > 0 && templateOf(deployment) !== template;
  return Math.max(0, wanted - running) + (rolls ? surgeOf(Math.max(wanted, running)) : 0);
}

async function newWatcher(cluster: Cluster, { app, watcher }: CapacityInputs) {
  const there = watcher && (await orUndefined(cluster.apps.readNamespacedDeployment({ name: names.watcher(app), namespace: cluster.namespace })));
  return { namespace: cluster.namespace, pods: watcher && there === undefined ? 1 : 0, of: podOf(watcherResources) };
}

function noRoom({ quota, limit, counts, hard, used, wanted }: Misfit, namespace: string, pods: number, { app, activeColor }: CapacityInputs): Refusal {
  const show = (amount: number) => asQuantity(counts, amount);
  const enough = show(used + wanted);
  return new Refusal({
    what: `ResourceQuota ${namespace}/${quota} has no room for ${pods} more pods: ${limit} wanted ${show(wanted)}, left ${show(Math.max(0, hard - used))} (${show(used)} of ${show(hard)} are used)`,
    rule: `both colors run side by side, ${activeColor} and ${otherColor(activeColor)}, and a rolling update starts new pods before old ones go`,
    next:
      quota === names.quota(app)
        ? `raise it, or leave it to be computed: pulumi config rm quota && pulumi config set --path quota.enabled true; what else runs there: kubectl -n ${namespace} get pods`
        : `kubectl -n ${namespace} patch resourcequota ${shellWord(quota)} --type merge -p ${shellWord(JSON.stringify({ spec: { hard: { [limit]: enough } } }))}, or let fewer pods do: pulumi config set replicas N`,
  });
}
