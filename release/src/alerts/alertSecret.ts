import type { FlatSettings } from "../config/schema.js";

type AlertSettings = FlatSettings["alerts"];

/** The key of each setting in the app's Secret for alerts. */
export const alertSecretKeys = {
  slackUrl: "slack-url",
  webhookUrl: "webhook-url",
  webhookSecret: "webhook-secret",
  pagerDutyKey: "pagerduty-key",
} as const satisfies Record<keyof AlertSettings, string>;

/** What the program puts into that Secret; empty: it makes none. */
export function alertSecretData<Text>({
  slackUrl,
  webhookUrl,
  webhookSecret,
  pagerDutyKey,
}: Record<keyof AlertSettings, Text>): Record<string, Text> {
  const keyed = [
    [alertSecretKeys.slackUrl, slackUrl],
    [alertSecretKeys.webhookUrl, webhookUrl],
    [alertSecretKeys.webhookSecret, webhookSecret],
    [alertSecretKeys.pagerDutyKey, pagerDutyKey],
  ] as const;
  return Object.fromEntries(keyed.filter(([, value]) => value !== ""));
}
