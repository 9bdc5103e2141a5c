import { createHash } from "node:crypto";
import { appLabels, names } from "../app/names.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { mergeData, readData } from "../kubernetes/jsonConfigMap.js";
import { severityOf, titleOf, versionOf, type Alert, type Version } from "./alert.js";
import { shortened, type Message } from "./post.js";

export const pagerDutyUrl = "https://events.pagerduty.com";

/** PagerDuty's limit. */
const summaryMax = 1024;

/**
 * One incident for each version of an app that fails, however often it does. Also a ConfigMap's key, so it is
 * in their alphabet.
 */
function incidentKey(
  { namespace, app }: Pick<Alert, "namespace" | "app">,
  { color, image }: Version,
): string {
  return `${incidentPrefix({ namespace, app })}${color}.${createHash("sha256").update(image).digest("hex").slice(0, 16)}`;
}

/** Of all incidents of an app. */
function incidentPrefix({ namespace, app }: Pick<Alert, "namespace" | "app">): string {
  return `${namespace}.${app}.`;
}

/** Whether an alert opens an incident. */
export function isIncident({ kind }: Alert): boolean {
  return kind === "rolledBack" || kind === "gateFailed";
}

/**
 * Events of PagerDuty's API v2: an incident for what fails, a change for what moves. When traffic is
 * on a version, incidents about that one and about those before it are over.
 * @param open keys of incidents that a switch resolves beside its own
 */
export function pagerDutyMessages(
  { routingKey, baseUrl }: { routingKey: string; baseUrl: string },
  alert: Alert,
  open: string[],
): Message[] {
  const key = incidentKey(alert, versionOf(alert));
  const event = (action: "trigger" | "resolve", dedupKey: string, rest: object = {}) => ({
    url: `${baseUrl}/v2/enqueue`,
    body: { routing_key: routingKey, event_action: action, dedup_key: dedupKey, ...rest },
  });
  const links = (alert.links ?? []).map(({ text, url }) => ({ href: url, text }));
  const change = () => ({
    url: `${baseUrl}/v2/change/enqueue`,
    body: { routing_key: routingKey, payload: payloadOf(alert), links },
  });
  if (isIncident(alert)) {
    const { color } = versionOf(alert);
    return [
      event("trigger", key, {
        client: "bluegreen",
        payload: {
          ...payloadOf(alert),
          severity: severityOf(alert),
          component: color,
          group: alert.app,
          class: alert.kind,
        },
        links,
      }),
    ];
  }
  switch (alert.kind) {
    case "started":
      return [change()];
    case "switched":
      return [change(), ...[...new Set([key, ...open])].map((each) => event("resolve", each))];
    default:
      return [];
  }
}

function payloadOf(alert: Alert) {
  const { namespace, app, who, why, at, evidence } = alert;
  const { color, image } = versionOf(alert);
  return {
    summary: shortened(`${titleOf(alert)}: ${why}`, summaryMax),
    source: `${namespace}/${app}`,
    timestamp: at.toISOString(),
    custom_details: { who, why, color, image, evidence },
  };
}

/**
 * The incidents that were opened and not resolved, in a ConfigMap of the app by their keys.
 * PagerDuty resolves by key alone, and the version that is switched to in the end is another one
 * than the version that failed. No other app's are resolved, whatever stands there.
 */
export async function readIncidents(cluster: Cluster, app: string): Promise<string[]> {
  const ofThisApp = incidentPrefix({ namespace: cluster.namespace, app });
  return Object.keys(await readData(cluster, names.incidents(app))).filter((key) =>
    key.startsWith(ofThisApp),
  );
}

export async function noteIncident(cluster: Cluster, alert: Alert): Promise<void> {
  const version = versionOf(alert);
  await mergeData(cluster, names.incidents(alert.app), appLabels(alert.app), {
    [incidentKey(alert, version)]: version.image,
  });
}

export async function forgetIncidents(cluster: Cluster, app: string, keys: string[]): Promise<void> {
  if (keys.length > 0)
    await mergeData(
      cluster,
      names.incidents(app),
      appLabels(app),
      Object.fromEntries(keys.map((key) => [key, null])),
    );
}
