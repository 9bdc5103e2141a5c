import type { Cluster } from "../kubernetes/cluster.js";
import type { Say } from "../util/step.js";
import type { Alert } from "./alert.js";
import { forgetIncidents, noteIncident, readIncidents } from "./incidents.js";
import { isIncident } from "./pagerDuty.js";
import { clusterPatienceMs, whyUnanswered, within } from "./patience.js";
import { readReceivers } from "./receivers.js";
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
