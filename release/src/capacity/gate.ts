import type { V1ResourceQuota } from "../kubernetes/client.js";
import { colors, otherColor, namespaceOf, colorNamespacesOf, type Color } from "../app/color.js";
import { connect, type Cluster, type ClusterRef } from "../kubernetes/cluster.js";
import { readDeployment, readWorker, templateOf } from "../kubernetes/deployment.js";
import { orUndefined } from "../kubernetes/requests.js";
import { readLiveColor } from "../traffic/live.js";
import { names } from "../app/names.js";
import { messageOf, UserError } from "../util/userError.js";
import { isRollbackTarget, readRelease } from "../state/record.js";
import { surgeOf, controllerPod, type Sizes } from "../config/room.js";
import { shellWord } from "../util/bluegreenCommand.js";
import type { WorkerPods } from "../config/podSettings.js";
import { readAutoscaler, neededSize } from "./scale.js";
import { refuseOtherBudgets, refuseOtherScalers } from "./others.js";
import type { Step, Violation } from "../util/step.js";
import { asQuantity, sumOf, type Counted, counted, type Amounts } from "../config/amounts.js";
import { quantity } from "../config/forms.js";

export type CapacityInputs = ClusterRef &
  Sizes & {
    app: string;
    activeColor: Color;
    /** Hash of each color's wanted pod template; null for a color that is not deployed. */
    templates: Record<Color, string | null>;
    /** What a pod of either color needs, all its containers together. */
    pod: Amounts;
    /** Limits of the quota that the program makes; empty where it makes none. */
    quota: Partial<Record<Counted, string>>;
    /** Whether there is to be an analysis controller. */
    controller: boolean;
    /** Whether the program makes a PodDisruptionBudget for each color. */
    budgets: boolean;
    /** Workers of each color; absent where there are none. */
    workers?: Record<Color, Omit<WorkerPods, "patch" | "labels" | "annotations">[]>;
  };

/**
 * Asks before anything moves whether there is room for it: for the pods of both colors, in every
 * quota of their namespaces, whoever has made it. In preview too, so that a pull request fails.
 */
export const capacityGate: Step<CapacityInputs, Record<string, never>> = {
  async check(inputs, _last, say) {
    try {
      const cluster = connect(inputs);
      const isBack = await isRollback(cluster, inputs);
      // A rollback waits neither for what somebody else has made, nor for room for the color that traffic leaves.
      const refused = isBack
        ? []
        : [
            ...(await refuseSmallerLive(cluster, inputs)),
            ...(await refuseOtherScalers(cluster, inputs, say)),
            ...(await refuseOtherBudgets(cluster, inputs, say)),
          ];
      return [...refused, ...(await refuseNoRoom(cluster, inputs, isBack ? [inputs.activeColor] : colors))];
    } catch (error) {
      return [{ property: "replicas", reason: messageOf(error) }];
    }
  },

  // The question is all there is to it, and it is asked in every update.
  isNeeded: () => Promise.resolve(false),
  run: () => Promise.resolve({}),
};

/**
 * Without its autoscaler the live color would fall to the number of config, under the load that it was scaled
 * for.
 */
async function refuseSmallerLive(
  cluster: Cluster,
  { app, replicas, maxReplicas }: CapacityInputs,
): Promise<Violation[]> {
  if (maxReplicas > 0) return [];
  const live = await readLiveColor(cluster, app);
  if (live === undefined || (await readAutoscaler(cluster, app, live)) === undefined) return [];
  const serving = (await readDeployment(cluster, app, live))?.spec?.replicas ?? 0;
  if (serving <= replicas) return [];
  const refusal = new UserError({
    code: "BG-REPLICAS-BELOW-LIVE",
    what: `To take the autoscaler from ${live} was refused: it serves traffic with ${serving} pods, and would be left with ${replicas}`,
    rule: "the live color does not lose pods by a setting that is gone",
    next: `pulumi config set replicas ${serving} && pulumi up; then less, step by step`,
  });
  return [{ property: "replicas", reason: refusal.message }];
}

async function refuseNoRoom(
  cluster: Cluster,
  inputs: CapacityInputs,
  comers: readonly Color[],
): Promise<Violation[]> {
  const namespaces = [...new Set([...colorNamespacesOf(cluster), cluster.namespace])];
  const quotas = await Promise.all(
    namespaces.map(async (namespace) => ({
      namespace,
      items: (await cluster.core.listNamespacedResourceQuota({ namespace })).items,
    })),
  );
  if (quotas.every(({ items }) => items.length === 0)) return [];
  const parts = await Promise.all([
    ...comers.map(async (color) => ({
      namespace: namespaceOf(cluster, color),
      pods: await newPods(cluster, inputs, color),
      of: inputs.pod,
    })),
    newController(cluster, inputs),
    ...comers.flatMap((color) => newWorkers(cluster, inputs, color)),
  ]);
  return quotas.flatMap(({ namespace, items }) => {
    const wanted = sumOf(...parts.filter((part) => part.namespace === namespace));
    return whatDoesNotFit(
      items.map((item) => quotaOf(item, inputs)),
      wanted,
    ).map((misfit) => ({
      property: "replicas",
      reason: noRoom(misfit, namespace, wanted.pods, inputs).message,
    }));
  });
}

async function isRollback(
  cluster: Cluster,
  { app, activeColor, templates }: CapacityInputs,
): Promise<boolean> {
  const [live, release] = await Promise.all([readLiveColor(cluster, app), readRelease(cluster, app)]);
  return (
    live === otherColor(activeColor) &&
    isRollbackTarget(release, { color: activeColor, template: templates[activeColor] ?? "" })
  );
}

function quotaOf({ metadata, spec, status }: V1ResourceQuota, { app, quota: limits }: CapacityInputs): Quota {
  const name = metadata?.name ?? "";
  const scopes = [
    ...(spec?.scopes ?? []),
    ...(spec?.scopeSelector?.matchExpressions?.map(({ scopeName }) => scopeName) ?? []),
  ];
  // The program's own is about to have the limits of config.
  const hard = name === names.quota(app) ? { ...spec?.hard, ...limits } : (spec?.hard ?? {});
  return { name, scopes, hard, used: status?.used ?? {} };
}

/**
 * Pods of a color that are not there yet: those that it lacks, and those of a rolling update that come before
 * old ones go.
 */
async function newPods(
  cluster: Cluster,
  { app, activeColor, templates, replicas }: CapacityInputs,
  color: Color,
): Promise<number> {
  const template = templates[color];
  if (template === null) return 0;
  const [deployment, needed] = await Promise.all([
    readDeployment(cluster, app, color),
    color === activeColor ? neededSize(cluster, { app, color, template }) : 0,
  ]);
  const running = deployment?.status?.replicas ?? 0;
  const wanted = Math.max(replicas, needed);
  const rolls = running > 0 && templateOf(deployment) !== template;
  return Math.max(0, wanted - running) + (rolls ? surgeOf(Math.max(wanted, running)) : 0);
}

/**
 * Pods of workers that are not there yet. Those of the active color take the room of the other color's, which have
 * stopped by then, unless they overlap.
 */
function newWorkers(cluster: Cluster, inputs: CapacityInputs, color: Color) {
  const { app, activeColor, templates, workers } = inputs;
  const namespace = namespaceOf(cluster, color);
  const comers = templates[color] === null ? [] : (workers?.[color] ?? []);
  return comers
    .filter(({ runOn }) => runOn === "both" || color === activeColor)
    .map(async ({ name, runOn, overlap, replicas, pod: of }) => {
      const isAlone = runOn === "active" && !overlap;
      const counted = colors.filter(
        (each) => each === color || (isAlone && namespaceOf(cluster, each) === namespace),
      );
      const running = await Promise.all(counted.map((each) => readWorker(cluster, app, each, name)));
      const there = running.reduce((sum, each) => sum + (each?.status?.replicas ?? 0), 0);
      return { namespace, pods: Math.max(0, replicas - there), of };
    });
}

async function newController(cluster: Cluster, { app, controller }: CapacityInputs) {
  const there =
    controller &&
    (await orUndefined(
      cluster.apps.readNamespacedDeployment({ name: names.controller(app), namespace: cluster.namespace }),
    ));
  return {
    namespace: cluster.namespace,
    pods: controller && there === undefined ? 1 : 0,
    of: controllerPod,
  };
}

function noRoom(
  { quota, limit, counts, hard, used, wanted }: Misfit,
  namespace: string,
  pods: number,
  { app, activeColor }: CapacityInputs,
): UserError {
  const show = (amount: number) => asQuantity(counts, amount);
  const enough = show(used + wanted);
  return new UserError({
    code: "BG-QUOTA-EXCEEDED",
    what: `ResourceQuota ${namespace}/${quota} has no room for ${pods} more pods: ${limit} wanted ${show(wanted)}, left ${show(Math.max(0, hard - used))} (${show(used)} of ${show(hard)} are used)`,
    rule: `both colors run side by side, ${activeColor} and ${otherColor(activeColor)}, and a rolling update starts new pods before old ones go`,
    next:
      quota === names.quota(app)
        ? `raise it, or leave it to be computed: pulumi config rm quota && pulumi config set --path quota.enabled true; what else runs there: kubectl -n ${namespace} get pods`
        : `kubectl -n ${namespace} patch resourcequota ${shellWord(quota)} --type merge -p ${shellWord(JSON.stringify({ spec: { hard: { [limit]: enough } } }))}, or let fewer pods do: pulumi config set replicas N`,
  });
}

export interface Quota {
  name: string;
  scopes: string[];
  /** Amounts by the names of limits, as the API server hands them out. */
  hard: Record<string, string>;
  used: Record<string, string>;
}

/** A limit of a quota that pods would go beyond. */
export interface Misfit {
  quota: string;
  /** As the quota calls it. */
  limit: string;
  counts: Counted;
  hard: number;
  used: number;
  wanted: number;
}

/** What a quota may call the same thing. */
const otherNames: Record<string, Counted> = {
  "count/pods": "pods",
  cpu: "requests.cpu",
  memory: "requests.memory",
};

/**
 * The scopes that pods of a Deployment with requests are in. Priority classes are the API server's to check.
 */
const ourScopes = new Set(["NotTerminating", "NotBestEffort"]);

/** Which limits of a namespace's quotas the wanted pods would go beyond, on top of what is used now. */
export function whatDoesNotFit(quotas: Quota[], wanted: Amounts): Misfit[] {
  const countOurs = quotas.filter(({ scopes }) => scopes.every((scope) => ourScopes.has(scope)));
  return countOurs.flatMap(({ name: quota, hard: limits, used }) =>
    Object.entries(limits).flatMap(([limit, text]) => {
      const counts = otherNames[limit] ?? counted.find((name) => name === limit);
      if (counts === undefined) return [];
      const misfit = {
        quota,
        limit,
        counts,
        hard: quantity(text),
        used: quantity(used[limit] ?? "0"),
        wanted: wanted[counts],
      };
      // By a hair more are sums of fractions.
      return misfit.used + misfit.wanted > misfit.hard * (1 + 1e-9) && misfit.wanted > 0 ? [misfit] : [];
    }),
  );
}
