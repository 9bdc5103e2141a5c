import { appContainer } from "../kubernetes/containers.js";
import type { Color } from "../app/color.js";
import { isInterruption } from "../util/interrupt.js";
import { connect, type Cluster, type ClusterRef } from "../kubernetes/cluster.js";
import { readDeployment } from "../kubernetes/deployment.js";

import { errorCodeOf, messageOf } from "../util/userError.js";
import { serverTime } from "../kubernetes/serverTime.js";
import { whoami } from "../util/who.js";
import type { PlainRecord, Say, Step } from "../util/step.js";
import { linksToRun } from "./ciRun.js";
import { clusterPatienceMs, within } from "./patience.js";
import { tellAll } from "./raise.js";
import { readReceivers } from "./receivers.js";

export type GateInputs = ClusterRef & { app: string; color: Color };

/**
 * A gate whose refusals, in an update and never in a preview, are told to whoever is to know. That somebody
 * has interrupted it is no news. The update fails with the gate's own error.
 */
export function alerting<Inputs extends PlainRecord & GateInputs, Outputs extends PlainRecord>(
  gate: string | ((inputs: Inputs) => string),
  step: Step<Inputs, Outputs>,
): Step<Inputs, Outputs> {
  return {
    ...step,
    async run(inputs, say) {
      try {
        return await step.run(inputs, say);
      } catch (error) {
        const name = typeof gate === "string" ? gate : gate(inputs);
        // Of harm to the live color whoever has found it tells.
        if (!isInterruption(error) && errorCodeOf(error) !== "BG-LIVE-HARMED")
          await tell(name, inputs, error, say);
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
  const code = errorCodeOf(error);
  const { app, namespace, color } = inputs;
  const [at, image] = await Promise.all([
    orElse(serverTime(cluster), new Date()),
    orElse(imageOf(cluster, inputs), "unknown"),
  ]);
  await tellAll(
    cluster,
    receivers,
    {
      kind: "gateFailed",
      gate,
      ...(code !== undefined && { code }),
      app,
      namespace,
      version: { color, image },
      who: whoami(),
      why,
      at,
      evidence,
      links: linksToRun(),
    },
    say,
  );
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
  return (deployment?.spec && appContainer(deployment.spec.template)?.image) ?? "unknown";
}

async function orElse<T>(work: Promise<T>, fallback: T): Promise<T> {
  try {
    return await within(clusterPatienceMs, work);
  } catch {
    return fallback;
  }
}
