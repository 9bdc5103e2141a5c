import type { Color } from "../app/color.js";
import { connect, type Cluster, type ClusterRef } from "../kubernetes/cluster.js";
import { appContainer } from "../kubernetes/containers.js";
import { readDeployment } from "../kubernetes/deployment.js";
import { serverTime } from "../kubernetes/requests.js";
import { isInterruption } from "../util/interrupt.js";
import type { Say, PlainRecord, Step } from "../util/step.js";
import { errorCodeOf, messageOf } from "../util/userError.js";
import { whoami } from "../util/who.js";
import { linksToRun, type Alert } from "./alert.js";
import { forgetIncidents, noteIncident, readIncidents, isIncident } from "./pagerDuty.js";
import { clusterPatienceMs, whyUnanswered, within, readReceivers } from "./receivers.js";
import { describeDeliveries, sendAlert, type Receiver, type SendOptions } from "./send.js";

/**
 * Tells everybody that the app's Secret names, and says what became of it. Never throws, and takes
 * 35 s at the most where neither the receivers nor the cluster answer: whatever comes after it continues.
 * @param options isPatient: a cluster that is away is waited for half a minute, before anybody is told
 */
export async function raiseAlert(
  cluster: Cluster,
  alert: Alert,
  say: Say,
  options: { isPatient?: boolean } = {},
): Promise<void> {
  await tellAll(cluster, await readReceivers(cluster, alert.app, say, options), alert, say);
}

/** The same, where the receivers are known. */
export async function tellAll(
  cluster: Cluster,
  receivers: Receiver[],
  alert: Alert,
  say: Say,
  options: Omit<SendOptions, "openIncidents"> = {},
): Promise<void> {
  const isPaged = receivers.some(({ kind }) => kind === "pagerDuty");
  const asked = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await within(clusterPatienceMs, work());
    } catch (error) {
      say(`alert ${alert.kind}: incidents that are open in PagerDuty may stay so (${whyUnanswered(error)})`);
      return undefined;
    }
  };
  const openIncidents =
    isPaged && alert.kind === "switched"
      ? ((await asked(() => readIncidents(cluster, alert.app))) ?? [])
      : [];
  const noted = isPaged && isIncident(alert) ? asked(() => noteIncident(cluster, alert)) : undefined;
  const deliveries = await sendAlert(receivers, alert, { ...options, openIncidents });
  await noted;
  const isResolved = deliveries.some(
    ({ receiver, failure }) => receiver === "pagerDuty" && failure === undefined,
  );
  if (isResolved) await asked(() => forgetIncidents(cluster, alert.app, openIncidents));
  if (deliveries.length > 0) say(describeDeliveries(alert, deliveries));
}

type GateInputs = ClusterRef & { app: string; color: Color };

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
