import { idOf, severityOf, titleOf, type Alert } from "./alert.js";
import { pagerDutyMessages, pagerDutyUrl } from "./pagerDuty.js";
import { post, presentable, type Message, type PostLimits } from "./post.js";
import { slackMessage } from "./slack.js";
import { createHmac } from "node:crypto";

/** Who is told. URLs and keys are secrets. */
export type Receiver =
  /** An incoming webhook. */
  | { kind: "slack"; url: string }
  /** Anything that verifies signatures. */
  | { kind: "webhook"; url: string; secret: string }
  /** Events API v2. @default baseUrl https://events.pagerduty.com */
  | { kind: "pagerDuty"; routingKey: string; baseUrl?: string };

export interface SendOptions {
  /** How long a receiver may take for one answer, in milliseconds. @default 5000 */
  timeoutMs?: number;
  /** How often it is tried, where another try may help. @default 3 */
  tries?: number;
  /** Between the first two tries, in milliseconds; doubled each time. @default 500 */
  pauseMs?: number;
  /** How long it all may take, in milliseconds. @default 20000 */
  totalMs?: number;
  /** Keys of PagerDuty incidents that a switch resolves, beside its own version's. @default none */
  openIncidents?: string[];
}

/** What became of an alert at one receiver. */
export interface Delivery {
  receiver: Receiver["kind"];
  /** Undefined: delivered. Never holds a URL or a key. */
  failure: string | undefined;
}

/**
 * Tells all receivers at the same time. Never throws, and is back after `totalMs` at the latest:
 * a dead receiver stops no release. Receivers that an alert is nothing for are not in the result.
 */
export async function sendAlert(
  receivers: readonly Receiver[],
  alert: Alert,
  options: SendOptions = {},
): Promise<Delivery[]> {
  const { timeoutMs = 5000, tries = 3, pauseMs = 500, totalMs = 20_000, openIncidents = [] } = options;
  const limits: PostLimits = { timeoutMs, tries, pauseMs, endsAt: performance.now() + totalMs };
  const deliveries = await Promise.all(
    receivers.map((receiver) => deliver(receiver, alert, openIncidents, limits)),
  );
  return deliveries.filter((delivery) => delivery !== undefined);
}

async function deliver(
  receiver: Receiver,
  alert: Alert,
  openIncidents: string[],
  limits: PostLimits,
): Promise<Delivery | undefined> {
  try {
    const messages = messagesFor(receiver, presentable(alert), openIncidents);
    if (messages.length === 0) return undefined;
    const failures = await Promise.all(messages.map((message) => post(message, limits)));
    return { receiver: receiver.kind, failure: failures.find((failure) => failure !== undefined) };
  } catch (error) {
    // Of an alert that cannot be written down. Its text may hold a secret, its name does not.
    return { receiver: receiver.kind, failure: error instanceof Error ? error.name : "unknown" };
  }
}

function messagesFor(receiver: Receiver, alert: Alert, openIncidents: string[]): Message[] {
  switch (receiver.kind) {
    case "slack":
      return [slackMessage(receiver.url, alert)];
    case "webhook":
      return [webhookMessage(receiver.url, receiver.secret, alert)];
    case "pagerDuty":
      return pagerDutyMessages(
        { routingKey: receiver.routingKey, baseUrl: receiver.baseUrl ?? pagerDutyUrl },
        alert,
        openIncidents,
      );
  }
}

const receiverNames: Record<Receiver["kind"], string> = {
  slack: "Slack",
  webhook: "webhook",
  pagerDuty: "PagerDuty",
};

/** In a line: "alert rolledBack: Slack delivered, webhook not (3 tries, last: HTTP 500)". */
export function describeDeliveries({ kind }: Pick<Alert, "kind">, deliveries: Delivery[]): string {
  const parts = deliveries.map(
    ({ receiver, failure }) =>
      `${receiverNames[receiver]} ${failure === undefined ? "delivered" : `not (${failure})`}`,
  );
  return `alert ${kind}: ${parts.join(", ")}`;
}

/**
 * JSON, signed: whoever has the secret knows that it comes from here, and when. How to verify it:
 * docs/guides/alerts.md.
 */
function webhookMessage(url: string, secret: string, alert: Alert): Message {
  const body = JSON.stringify({
    id: idOf(alert),
    severity: severityOf(alert),
    title: titleOf(alert),
    ...alert,
  });
  const timestamp = String(Math.floor(Date.now() / 1000));
  const signature = createHmac("sha256", secret).update(`${timestamp}.${body}`).digest("hex");
  return {
    url,
    headers: { "x-bluegreen-timestamp": timestamp, "x-bluegreen-signature": `sha256=${signature}` },
    body,
  };
}
