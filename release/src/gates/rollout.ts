import type { V1Deployment } from "../kubernetes/client.js";
import { alerting } from "../alerts/alerting.js";
import { otherColor, type Color } from "../color.js";
import { connect, type Cluster, type ClusterRef } from "../kubernetes/cluster.js";
import { readDeployment, templateOf } from "../kubernetes/deployment.js";
import { podsOfColor, runsTemplate } from "../kubernetes/pods.js";
import { sayingWhatIsLive } from "../live.js";
import { homeOf } from "../homes.js";
import { names } from "../names.js";
import { DeadlineError, poll } from "../poll.js";
import { messageOf, Refusal } from "../refusal.js";
import type { Sizes } from "../settings/sizes.js";
import { growToTakeOver } from "../size/grow.js";
import { neededSize } from "../size/neededSize.js";
import type { Step } from "../step.js";
import { PodJudge } from "./podJudge.js";
import { isSwitchPending } from "./switchPending.js";

export type RolloutInputs = ClusterRef &
  Sizes & {
    app: string;
    color: Color;
    /** Hash of the pod template that has to be running. */
    template: string;
    /** Whether the stack config wants this color to serve users. */
    active: boolean;
    budgetSeconds: number;
  };

export type RolloutOutputs = { readyReplicas: number };

/**
 * The gate that says a color is really there. The provider's own await is not trusted:
 * it can report a Deployment ready before the controller has seen the new generation.
 */
export const rollout: Step<RolloutInputs, RolloutOutputs> = alerting("rollout", {
  /** In preview the live color's replicas are known, whoever has set them: a person, or an autoscaler. */
  async check(inputs) {
    try {
      if (!inputs.active) return [];
      const cluster = connect(inputs);
      await refuseLessThanLive(cluster, inputs, inputs.maxReplicas > 0 ? inputs.maxReplicas : await readMost(cluster, inputs), "would have");
      return [];
    } catch (error) {
      return [{ property: "replicas", reason: messageOf(error) }];
    }
  },

  async isNeeded(last, inputs) {
    if (last.template !== inputs.template || last.replicas !== inputs.replicas) return true;
    if (inputs.active && (await isSwitchPending(inputs))) return true;
    // Back to the template that last passed, after an attempt with another one failed: its pods are still going.
    const deployment = await readDeployment(connect(inputs), inputs.app, inputs.color);
    return deployment !== undefined && whatIsUnfinished(deployment, inputs) !== undefined;
  },

  async run(inputs) {
    const cluster = connect(inputs);
    return sayingWhatIsLive(cluster, inputs.app, async () => {
      const ready = inputs.active && inputs.maxReplicas > 0 ? await awaitEnough(cluster, inputs) : await awaitRollout(cluster, inputs);
      if (inputs.active) await refuseLessThanLive(cluster, inputs, ready, "has");
      return { readyReplicas: ready };
    });
  },
});

/** Somebody may have given this one more than config asks for. */
async function readMost(cluster: Cluster, { app, color, replicas }: RolloutInputs): Promise<number> {
  return Math.max(replicas, (await readDeployment(cluster, app, color))?.spec?.replicas ?? 0);
}

/** As many as the live color has by then: its autoscaler may give it more while these start, up to its limit. */
async function awaitEnough(cluster: Cluster, inputs: RolloutInputs): Promise<number> {
  for (;;) {
    const replicas = Math.max(inputs.replicas, await growToTakeOver(cluster, inputs));
    const ready = await awaitRollout(cluster, { ...inputs, replicas });
    if (ready >= (await neededSize(cluster, inputs))) return ready;
  }
}

async function awaitRollout(cluster: Cluster, inputs: RolloutInputs): Promise<number> {
  const judge = new PodJudge(cluster, inputs);
  const name = names.deployment(inputs.app, inputs.color);
  let last = "the Deployment was not found";
  let said = "";
  try {
    return await poll(
      async () => {
        const deployment = await readDeployment(cluster, inputs.app, inputs.color);
        if (deployment === undefined) return undefined;
        const pending = whatIsPending(deployment, inputs);
        if (pending === undefined) return deployment.status?.readyReplicas ?? 0;
        last = pending;
        const pods = await podsOfColor(cluster, inputs);
        // Until they are gone, pods that are on their way out have a share in every quota.
        if (pods.every(({ metadata }) => metadata?.deletionTimestamp === undefined)) refuseReplicaFailure(deployment, inputs, judge);
        said = (await judge.look(pods.filter((pod) => runsTemplate(pod, inputs.template)))) ?? said;
        return undefined;
      },
      { timeoutMs: inputs.budgetSeconds * 1000 },
    );
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    const namespace = homeOf(cluster, inputs.color);
    throw new Refusal({
      what: `Deployment ${namespace}/${name} was not ready within ${inputs.budgetSeconds} s`,
      rule: said === "" ? last : `${last}; ${said}`,
      next: `kubectl -n ${namespace} describe deployment ${name}; with more time: pulumi config set rolloutBudgetSeconds N`,
    });
  }
}

type Wanted = Pick<RolloutInputs, "template" | "replicas">;

/** What is missing until the Deployment runs the wanted template on all replicas, or undefined when nothing is. */
export function whatIsPending(deployment: V1Deployment, wanted: Wanted): string | undefined {
  const ready = deployment.status?.readyReplicas ?? 0;
  const available = deployment.status?.availableReplicas ?? 0;
  const unfinished = whatIsUnfinished(deployment, wanted);
  if (unfinished !== undefined) return unfinished;
  if (ready < wanted.replicas) return `${ready} of ${wanted.replicas} pods are ready`;
  if (available < wanted.replicas) return `${available} of ${wanted.replicas} pods are available`;
  return undefined;
}

/** What is missing until the right pods, and no others, are there, whether or not they are ready. */
function whatIsUnfinished(deployment: V1Deployment, wanted: Wanted): string | undefined {
  const { metadata, status } = deployment;
  const template = templateOf(deployment);
  if (template !== wanted.template) return `its pod template is ${template ?? "unmarked"}, wanted ${wanted.template}`;
  const observed = status?.observedGeneration ?? 0;
  if (observed < (metadata?.generation ?? 0)) return `the controller has seen generation ${observed} of ${metadata?.generation}`;
  const replicas = status?.replicas ?? 0;
  const updatedReplicas = status?.updatedReplicas ?? 0;
  if (updatedReplicas < wanted.replicas) return `${updatedReplicas} of ${wanted.replicas} pods are updated`;
  if (replicas > updatedReplicas) return `${replicas - updatedReplicas} pods of the old revision are still there`;
  return undefined;
}

/** Quota, Pod Security and admission refusals: no pod appears, the reason is in a condition. */
function refuseReplicaFailure(deployment: V1Deployment, inputs: RolloutInputs, judge: PodJudge): void {
  const failure = deployment.status?.conditions?.find(({ type, status }) => type === "ReplicaFailure" && status === "True");
  if (failure === undefined || !judge.lasts("ReplicaFailure")) return;
  const namespace = homeOf(inputs, inputs.color);
  throw new Refusal({
    what: `No pods can be made for ${namespace}/${names.deployment(inputs.app, inputs.color)}`,
    rule: failure.message ?? failure.reason ?? "ReplicaFailure",
    next: `kubectl -n ${namespace} describe resourcequota; kubectl -n ${namespace} get events --sort-by=.lastTimestamp`,
  });
}

/** An idle color smaller than the live one would be overrun by the switch. */
async function refuseLessThanLive(cluster: Cluster, inputs: RolloutInputs, ready: number, verb: "has" | "would have"): Promise<void> {
  const needed = await neededSize(cluster, inputs);
  if (ready >= needed) return;
  throw new Refusal({
    what: `The switch to ${inputs.color} was refused: it ${verb} ${ready} ready pods, ${otherColor(inputs.color)} has ${needed}`,
    rule: "the color that takes over needs at least the replicas that serve users now",
    next: `pulumi config set ${inputs.maxReplicas === 0 ? "replicas" : "--path autoscaling.maxReplicas"} ${needed} && pulumi up`,
  });
}
