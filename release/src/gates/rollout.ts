import type { V1Deployment } from "../kubernetes/client.js";
import { alerting } from "../alerts/raise.js";
import { otherColor, namespaceOf, type Color } from "../app/color.js";
import { connect, type Cluster, type ClusterRef } from "../kubernetes/cluster.js";
import { readDeployment, replicaFailureOf, templateOf } from "../kubernetes/deployment.js";
import { podsOfColor, runsTemplate } from "../kubernetes/pods.js";
import { sayingWhatIsLive } from "../traffic/live.js";
import { names } from "../app/names.js";
import { DeadlineError, poll } from "../util/poll.js";
import { noteChange, refuseHarm, testLive } from "../state/harm.js";
import { messageOf, UserError } from "../util/userError.js";
import type { Sizes } from "../config/room.js";
import { growToTakeOver, neededSize } from "../capacity/scale.js";
import { readOtherScaler } from "../capacity/others.js";
import type { Say, Step } from "../util/step.js";
import { PodCheck } from "./podCheck.js";
import { sayStartProblems } from "./podProblem.js";
import { isSwitchPending } from "../traffic/move.js";

export type RolloutInputs = ClusterRef &
  Sizes & {
    app: string;
    color: Color;
    /** Hash of the pod template that has to be running. */
    template: string;
    /** Whether the stack config wants this color to serve traffic. */
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
      await refuseLessThanLive(cluster, inputs, await readMost(cluster, inputs), "would have");
      return [];
    } catch (error) {
      return [{ property: "replicas", reason: messageOf(error) }];
    }
  },

  async isNeeded(last, inputs) {
    if (last.template !== inputs.template || last.replicas !== inputs.replicas) return true;
    if (inputs.active && (await isSwitchPending(inputs))) return true;
    // Back to the template that last passed, after an attempt with another one failed: its pods are still
    // going.
    const cluster = connect(inputs);
    const deployment = await readDeployment(cluster, inputs.app, inputs.color);
    return (
      deployment !== undefined &&
      whatIsUnfinished(deployment, inputs) !== undefined &&
      whatIsUnfinished(deployment, await asScaled(cluster, inputs, deployment)) !== undefined
    );
  },

  async run(inputs, say) {
    const cluster = connect(inputs);
    noteChange(cluster, inputs.app, `${inputs.color} got a new pod template`);
    return sayingWhatIsLive(cluster, inputs.app, async () => {
      const ready =
        inputs.active && inputs.maxReplicas > 0
          ? await awaitEnough(cluster, inputs, say)
          : await awaitRollout(cluster, inputs, say);
      if (inputs.active) await refuseLessThanLive(cluster, inputs, ready, "has");
      await sayStartProblems(cluster, inputs, say);
      await testLive(cluster, inputs.app, `after the pods of ${inputs.color} became ready`);
      return { readyReplicas: ready };
    });
  },
});

/** How many pods it could have: somebody may have given it more than config asks for. */
async function readMost(cluster: Cluster, inputs: RolloutInputs): Promise<number> {
  const { app, color, replicas, maxReplicas } = inputs;
  if (maxReplicas > 0) return maxReplicas;
  const running = (await readDeployment(cluster, app, color))?.spec?.replicas ?? 0;
  // Another one's autoscaler is not overruled by config, but begins with its number.
  if (running > 0 && (await readOtherScaler(cluster, app, color)) !== undefined) return running;
  return Math.max(replicas, running);
}

/**
 * What has to be there as it is to be now: where somebody else's autoscaler scales the color, its number of pods;
 * where somebody has given it more, for the traffic that it takes over, those too.
 */
async function asScaled(cluster: Cluster, inputs: RolloutInputs, deployment: V1Deployment): Promise<Wanted> {
  const { app, color, template, replicas, maxReplicas, active } = inputs;
  if (maxReplicas > 0) return inputs;
  const running = deployment.spec?.replicas ?? 0;
  if ((await readOtherScaler(cluster, app, color)) !== undefined) return { template, replicas: running };
  if (!active || running <= replicas) return inputs;
  const needed = await neededSize(cluster, inputs);
  return { template, replicas: Math.max(replicas, Math.min(running, needed)) };
}

/**
 * As many as the live color has by then: its autoscaler may give it more while these start, up to its limit.
 */
async function awaitEnough(cluster: Cluster, inputs: RolloutInputs, say: Say): Promise<number> {
  const check = async () => {
    const replicas = Math.max(inputs.replicas, await growToTakeOver(cluster, inputs));
    const ready = await awaitRollout(cluster, { ...inputs, replicas }, say);
    return ready >= (await neededSize(cluster, inputs)) ? ready : undefined;
  };
  return poll(check, { timeoutMs: inputs.budgetSeconds * 1000, intervalMs: pollIntervalMs }).catch(
    async (error: unknown) => {
      if (!(error instanceof DeadlineError)) throw error;
      // The live color has grown all the time: what it has now is for the comparison to say.
      return awaitRollout(cluster, inputs, say);
    },
  );
}

/** A poll lists the pods of a color. */
const pollIntervalMs = 1000;

async function awaitRollout(cluster: Cluster, inputs: RolloutInputs, say: Say): Promise<number> {
  const check = new PodCheck(cluster, inputs);
  const name = names.deployment(inputs.app, inputs.color);
  let last = "the Deployment was not found";
  let waiting = "";
  let told = "";
  try {
    return await poll(
      async () => {
        refuseHarm(cluster, inputs.app);
        const deployment = await readDeployment(cluster, inputs.app, inputs.color);
        if (deployment === undefined) return undefined;
        const pending = whatIsPending(deployment, await asScaled(cluster, inputs, deployment));
        if (pending === undefined) return deployment.status?.readyReplicas ?? 0;
        last = pending;
        const pods = await podsOfColor(cluster, inputs);
        // Until they are gone, pods that are on their way out have a share in every quota.
        if (pods.every(({ metadata }) => metadata?.deletionTimestamp === undefined))
          refuseReplicaFailure(deployment, inputs, check);
        const now = await check.inspect(pods.filter((pod) => runsTemplate(pod, inputs.template)));
        if (now?.isLong === true && now.text !== told) {
          told = now.text;
          say(`${inputs.color} is not ready: ${pending}; ${told}`);
        }
        waiting = now?.text ?? waiting;
        return undefined;
      },
      { timeoutMs: inputs.budgetSeconds * 1000, intervalMs: pollIntervalMs },
    );
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    const problem = await check.atTheEnd();
    if (problem !== undefined) throw problem;
    const namespace = namespaceOf(cluster, inputs.color);
    throw new UserError({
      code: "BG-COLOR-NOT-READY",
      what: `Deployment ${namespace}/${name} was not ready within ${inputs.budgetSeconds} s`,
      rule: waiting === "" ? last : `${last}; ${waiting}`,
      next: `kubectl -n ${namespace} describe pods -l app=${inputs.app},version=${inputs.color}; with more time: pulumi config set progressDeadlineSeconds N`,
    });
  }
}

type Wanted = Pick<RolloutInputs, "template" | "replicas">;

/**
 * What is missing until the Deployment runs the wanted template on all replicas, or undefined when nothing
 * is.
 */
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
  if (template !== wanted.template)
    return `its pod template is ${template ?? "unmarked"}, wanted ${wanted.template}`;
  const observed = status?.observedGeneration ?? 0;
  if (observed < (metadata?.generation ?? 0))
    return `the controller has seen generation ${observed} of ${metadata?.generation}`;
  const replicas = status?.replicas ?? 0;
  const updatedReplicas = status?.updatedReplicas ?? 0;
  if (updatedReplicas < wanted.replicas) return `${updatedReplicas} of ${wanted.replicas} pods are updated`;
  if (replicas > updatedReplicas)
    return `${replicas - updatedReplicas} pods of the old revision are still there`;
  return undefined;
}

/** Refused by Quota, Pod Security or other admission, for long enough not to pass. */
function refuseReplicaFailure(deployment: V1Deployment, inputs: RolloutInputs, check: PodCheck): void {
  const failure = replicaFailureOf(deployment);
  if (failure === undefined || !check.lasts("ReplicaFailure")) return;
  const namespace = namespaceOf(inputs, inputs.color);
  throw new UserError({
    code: "BG-PODS-NOT-CREATED",
    what: `No pods can be made for ${namespace}/${names.deployment(inputs.app, inputs.color)}`,
    rule: failure,
    next: `kubectl -n ${namespace} describe resourcequota; kubectl -n ${namespace} get events --sort-by=.lastTimestamp`,
  });
}

/** An idle color smaller than the live one would be overrun by the switch. */
async function refuseLessThanLive(
  cluster: Cluster,
  inputs: RolloutInputs,
  ready: number,
  verb: "has" | "would have",
): Promise<void> {
  const needed = await neededSize(cluster, inputs);
  if (ready >= needed) return;
  const other = await readOtherScaler(cluster, inputs.app, inputs.color);
  throw new UserError({
    code: "BG-TOO-FEW-READY-PODS",
    what: `The switch to ${inputs.color} was refused: it ${verb} ${ready} ready pods, ${otherColor(inputs.color)} has ${needed}`,
    rule: "the color that takes over needs at least the replicas that serve traffic now",
    next: `${other?.raise(needed) ?? `pulumi config set ${inputs.maxReplicas === 0 ? "replicas" : "--path autoscaling.maxReplicas"} ${needed}`} && pulumi up`,
  });
}
