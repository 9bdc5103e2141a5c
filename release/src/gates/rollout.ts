import type { V1Deployment, V1Pod } from "@kubernetes/client-node";
import { alerting } from "../alerts/alerting.js";
import { otherColor, type Color } from "../color.js";
import { askReady, isReady, podsOfColor, runsTemplate } from "../kubernetes/pods.js";
import { connect, type Cluster } from "../kubernetes/cluster.js";
import { orUndefined } from "../kubernetes/orUndefined.js";
import { readLiveColor, sayingWhatIsLive } from "../live.js";
import { names, templateAnnotation } from "../names.js";
import { DeadlineError, poll } from "../poll.js";
import { Refusal } from "../refusal.js";
import type { Step } from "../step.js";
import { findTrouble, type PodTrouble } from "./podTrouble.js";
import { isSwitchPending } from "./switchPending.js";
import { whyUnready } from "./whyUnready.js";

export type RolloutInputs = {
  context: string;
  namespace: string;
  app: string;
  color: Color;
  /** Hash of the pod template that has to be running. */
  template: string;
  replicas: number;
  /** Whether the stack config wants this color to serve users. */
  active: boolean;
  budgetSeconds: number;
};

export type RolloutOutputs = { readyReplicas: number };

/** A trouble that may pass has to persist this long before it ends the rollout: image pulls and Secrets are retried every few seconds. */
const patienceMs = 15_000;

/**
 * The gate that says a color is really there. The provider's own await is not trusted:
 * it can report a Deployment ready before the controller has seen the new generation.
 */
export const rollout: Step<RolloutInputs, RolloutOutputs> = alerting("rollout", {
  check: () => Promise.resolve([]),

  async isNeeded(last, inputs) {
    if (last.template !== inputs.template || last.replicas !== inputs.replicas) return true;
    if (inputs.active && (await isSwitchPending(inputs))) return true;
    // Back to the template that last passed, after an attempt with another one failed: its pods are still going.
    const deployment = await readDeployment(connect(inputs), inputs);
    return deployment !== undefined && whatIsUnfinished(deployment, inputs) !== undefined;
  },

  async run(inputs) {
    const cluster = connect(inputs);
    return sayingWhatIsLive(cluster, inputs.app, async () => {
      const ready = await awaitRollout(cluster, inputs);
      if (inputs.active) await refuseLessThanLive(cluster, inputs, ready);
      return { readyReplicas: ready };
    });
  },
});

async function awaitRollout(cluster: Cluster, inputs: RolloutInputs): Promise<number> {
  const since = new Map<string, number>();
  const name = names.deployment(inputs.app, inputs.color);
  let last = "the Deployment was not found";
  let said = "";
  try {
    return await poll(
      async () => {
        const deployment = await readDeployment(cluster, inputs);
        if (deployment === undefined) return undefined;
        const pending = whatIsPending(deployment, inputs);
        if (pending === undefined) return deployment.status?.readyReplicas ?? 0;
        last = pending;
        refuseReplicaFailure(deployment, inputs, since);
        const pods = (await podsOfColor(cluster, inputs)).filter((pod) => runsTemplate(pod, inputs.template));
        await refuseTrouble(cluster, inputs, pods, since);
        said = (await askUnready(cluster, inputs, pods, since)) ?? said;
        return undefined;
      },
      { timeoutMs: inputs.budgetSeconds * 1000 },
    );
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    throw new Refusal({
      what: `Deployment ${cluster.namespace}/${name} was not ready within ${inputs.budgetSeconds} s`,
      rule: said === "" ? last : `${last}; ${said}`,
      next: `kubectl -n ${cluster.namespace} describe deployment ${name}; with more time: pulumi config set rolloutBudgetSeconds N`,
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
  const { metadata, spec, status } = deployment;
  const template = spec?.template.metadata?.annotations?.[templateAnnotation];
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
function refuseReplicaFailure(deployment: V1Deployment, inputs: RolloutInputs, since: Map<string, number>): void {
  const failure = deployment.status?.conditions?.find(({ type, status }) => type === "ReplicaFailure" && status === "True");
  if (failure === undefined || !hasPersisted("ReplicaFailure", since)) return;
  throw new Refusal({
    what: `No pods can be made for ${inputs.namespace}/${names.deployment(inputs.app, inputs.color)}`,
    rule: failure.message ?? failure.reason ?? "ReplicaFailure",
    next: `kubectl -n ${inputs.namespace} get events --sort-by=.lastTimestamp`,
  });
}

async function refuseTrouble(cluster: Cluster, inputs: RolloutInputs, pods: V1Pod[], since: Map<string, number>): Promise<void> {
  for (const pod of pods) {
    const trouble = findTrouble(pod);
    if (trouble === undefined) continue;
    if (trouble.final || hasPersisted(trouble.reason, since)) throw await explain(cluster, inputs, trouble);
  }
}

/** Asks one pod that runs and is not ready for the reason, now and then. @throws Refusal when it waits in vain */
async function askUnready(cluster: Cluster, { color }: RolloutInputs, pods: V1Pod[], since: Map<string, number>): Promise<string | undefined> {
  const pod = pods.find((each) => each.status?.phase === "Running" && !isReady(each));
  if (pod === undefined || !hasPersisted("unready", since)) return undefined;
  since.delete("unready");
  const why = whyUnready(await askReady(cluster, pod));
  if (why === undefined) return undefined;
  const said = `pod ${pod.metadata?.name ?? "?"} says ${why.text}`;
  if (!why.final) return said;
  throw new Refusal({
    what: `The ${color} color does not become ready`,
    rule: said,
    next: `add the migration to the folder, or raise schemaVersion to it; or pulumi config set ${color}Tag TAG with a version that works with this schema; then pulumi up`,
  });
}

function hasPersisted(reason: string, since: Map<string, number>): boolean {
  const first = since.get(reason) ?? Date.now();
  since.set(reason, first);
  return Date.now() - first >= patienceMs;
}

async function explain(cluster: Cluster, { color, app, namespace }: RolloutInputs, trouble: PodTrouble): Promise<Refusal> {
  const what = `The ${color} color does not start: pod ${trouble.pod}, ${trouble.reason}`;
  switch (trouble.reason) {
    case "ImagePullBackOff":
    case "ErrImagePull":
    case "InvalidImageName":
      return new Refusal({ what, rule: trouble.message, next: `push the image, or pulumi config set ${color}Tag TAG with a tag that exists, then pulumi up` });
    case "CreateContainerConfigError":
      return new Refusal({
        what,
        rule: trouble.message,
        next: `write url=… (or api-key=…) to a file, kubectl -n ${namespace} create secret generic ${names.databaseSecret} (or ${names.openaiSecret}) --from-env-file=FILE, then pulumi up`,
      });
    case "CrashLoop":
      return new Refusal({
        what,
        rule: `${trouble.message}; ${await readyPodsOf(cluster, app, color)}`,
        next: `kubectl -n ${namespace} logs ${trouble.pod} --previous; then pulumi config set ${color}Tag TAG with a version that starts, and pulumi up`,
      });
    default:
      return new Refusal({ what, rule: trouble.message, next: `kubectl -n ${namespace} describe pod ${trouble.pod}` });
  }
}

function readDeployment(cluster: Cluster, { app, color }: { app: string; color: Color }): Promise<V1Deployment | undefined> {
  return orUndefined(cluster.apps.readNamespacedDeployment({ name: names.deployment(app, color), namespace: cluster.namespace }));
}

async function readyPodsOf(cluster: Cluster, app: string, color: Color): Promise<string> {
  const deployment = await readDeployment(cluster, { app, color });
  return `${deployment?.status?.readyReplicas ?? 0} of ${deployment?.spec?.replicas ?? 0} pods are ready`;
}

/** An idle color smaller than the live one would be overrun by the switch. */
async function refuseLessThanLive(cluster: Cluster, inputs: RolloutInputs, ready: number): Promise<void> {
  const live = await readLiveColor(cluster, inputs.app);
  if (live !== otherColor(inputs.color)) return;
  const deployment = await readDeployment(cluster, { app: inputs.app, color: live });
  const serving = deployment?.spec?.replicas ?? 0;
  if (ready >= serving) return;
  throw new Refusal({
    what: `The switch to ${inputs.color} was refused: it has ${ready} ready pods, ${live} has ${serving}`,
    rule: "the color that takes over needs at least the replicas that serve users now",
    next: `pulumi config set replicas ${serving} && pulumi up`,
  });
}
