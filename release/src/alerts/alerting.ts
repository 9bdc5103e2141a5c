import type { Color } from "../color.js";
import { isInterruption } from "../interrupt.js";
import { connect, type Cluster, type ClusterRef } from "../kubernetes/cluster.js";
import { readDeployment } from "../kubernetes/deployment.js";
import { names } from "../names.js";
import { messageOf } from "../refusal.js";
import { serverTime } from "../kubernetes/serverTime.js";
import { whoami } from "../releases/who.js";
import type { PlainRecord, Say, Step } from "../step.js";
import { linksToRun } from "./ciRun.js";
import { clusterPatienceMs, within } from "./patience.js";
import { tellAll } from "./raise.js";
import { readReceivers } from "./receivers.js";

export type GateInputs = ClusterRef & { app: string; color: Color };

/** A gate whose refusals, in an update and never in a preview, are told to whoever is to know. That somebody has interrupted it is no news. The update fails with the gate's own error. */
export function alerting<Inputs extends PlainRecord & GateInputs, Outputs extends PlainRecord>(gate: string, step: Step<Inputs, Outputs>): Step<Inputs, Outputs> {
  return {
    ...step,
    async run(inputs, say) {
      try {
        return await step.run(inputs, say);
      } catch (error) {
        if (!isInterruption(error)) await tell(gate, inputs, error, say);
        throw error;
      }
    },
  };
}

/** Never throws. */
async function tell(gate: string, inputs: GateInputs, error: unknown, say: Say): Promise<void> {
  const cluster = connected(inputs);
  if (cluster === undefined) return;
  const receivers = await readReceivers(cluster, inputs.app, say);
  if (receivers.length === 0) return;
  const [why = "", ...evidence] = messageOf(error).split("\n");
  const { app, namespace, color } = inputs;
  const [at, image] = await Promise.all([orElse(serverTime(cluster), new Date()), orElse(imageOf(cluster, inputs), "unknown")]);
  await tellAll(cluster, receivers, { kind: "gateFailed", gate, app, namespace, version: { color, image }, who: whoami(), why, at, evidence, links: linksToRun() }, say);
}

/** The gate's own error tells of a cluster that cannot be had. */
function connected(inputs: GateInputs): Cluster | undefined {
  try {
    return connect(inputs);
  } catch {
    return undefined;
  }
}

async function imageOf(cluster: Cluster, { app, color }: GateInputs): Promise<string> {
  const deployment = await readDeployment(cluster, app, color);
  return deployment?.spec?.template.spec?.containers.find(({ name }) => name === names.container)?.image ?? "unknown";
}

async function orElse<T>(work: Promise<T>, fallback: T): Promise<T> {
  try {
    return await within(clusterPatienceMs, work);
  } catch {
    return fallback;
  }
}
