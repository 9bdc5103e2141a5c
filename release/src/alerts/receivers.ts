import { names } from "../app/names.js";
import { ApiException } from "../kubernetes/client.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { findSecretValues } from "../kubernetes/secretValue.js";
import { untilAnswered, DeadlineError } from "../util/poll.js";
import type { Say } from "../util/step.js";
import { messageOf } from "../util/userError.js";
import { alertSecretKeys as keys } from "./alertSecret.js";
import type { Receiver } from "./send.js";

/**
 * Who is told about an app, from its Secret in the cluster: read when there is something to tell, so
 * that no step has it as an input. Never throws: what is wrong with it is said, and nobody is told.
 * @param options isPatient: an API server that is away is waited for, where nothing else waits
 */
export async function readReceivers(
  cluster: Cluster,
  app: string,
  say: Say,
  { isPatient = false } = {},
): Promise<Receiver[]> {
  const name = names.alertsSecret(app);
  try {
    const find = () => findSecretValues(cluster, { namespace: cluster.namespace, name });
    const values = await (isPatient ? untilAnswered(find) : within(clusterPatienceMs, find()));
    // A file that a Secret was made from often ends with a line break.
    const valueOf = (key: keyof typeof keys) => values?.[keys[key]]?.trim() ?? "";
    const [slackUrl, webhookUrl, webhookSecret, pagerDutyKey] = [
      valueOf("slackUrl"),
      valueOf("webhookUrl"),
      valueOf("webhookSecret"),
      valueOf("pagerDutyKey"),
    ];
    const receivers: Receiver[] = [];
    if (slackUrl !== "") receivers.push({ kind: "slack", url: slackUrl });
    if (webhookUrl !== "" && webhookSecret !== "")
      receivers.push({ kind: "webhook", url: webhookUrl, secret: webhookSecret });
    else if (webhookUrl !== "")
      say(
        `alerts: the webhook is not told: Secret ${cluster.namespace}/${name} has no ${keys.webhookSecret}, and nothing is sent unsigned`,
      );
    if (pagerDutyKey !== "") receivers.push({ kind: "pagerDuty", routingKey: pagerDutyKey });
    return receivers;
  } catch (error) {
    say(
      `alerts: nobody is told: Secret ${cluster.namespace}/${name} cannot be read (${whyUnanswered(error)})`,
    );
    return [];
  }
}

/** How long an alert waits for one answer of the cluster, in milliseconds. */
export const clusterPatienceMs = 5000;

/** Waits for work that may never end. @throws DeadlineError after `ms`; the work itself continues */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new DeadlineError(`no answer within ${ms / 1000} s`));
    }, ms);
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/** Why the cluster gave no answer, in a few words: an API server's own would fill the screen. */
export function whyUnanswered(error: unknown): string {
  return error instanceof ApiException ? `HTTP ${error.code}` : (messageOf(error).split("\n")[0] ?? "");
}
