import { createHash } from "node:crypto";
import { severityOf, titleOf, versionOf, type Alert, type Version } from "./alert.js";
import type { Message } from "./post.js";
import { shortened } from "./presentable.js";

export const pagerDutyUrl = "https://events.pagerduty.com";

/** PagerDuty's limit. */
const summaryMax = 1024;

/**
 * One incident for each version of an app that fails, however often it does. Also a ConfigMap's key, so it is
 * in their alphabet.
 */
export function incidentKey(
  { namespace, app }: Pick<Alert, "namespace" | "app">,
  { color, image }: Version,
): string {
  return `${incidentPrefix({ namespace, app })}${color}.${createHash("sha256").update(image).digest("hex").slice(0, 16)}`;
}

/** Of all incidents of an app. */
export function incidentPrefix({ namespace, app }: Pick<Alert, "namespace" | "app">): string {
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
