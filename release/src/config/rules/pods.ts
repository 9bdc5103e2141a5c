import { mostOf } from "../amounts.js";
import { podKeys, type PodSettings } from "../podSettings.js";
import { absentOf, quotaKeys, tooSmall } from "../room.js";
import { colors, type Color } from "../../app/color.js";
import type { FlatSettings } from "../schema.js";
import { violation, type SettingViolation } from "../violation.js";

/** What pods are made of, and what has to go with them. */
export const togetherWithPods = [
  ...podKeys,
  "preStopDelaySeconds",
  "connectionDrain",
  "autoscaling",
  "namespacePerColor",
  "replicas",
  "analysis",
] as const satisfies readonly (keyof FlatSettings)[];
type WithPods = Pick<FlatSettings, (typeof togetherWithPods)[number]>;

/** Rules between settings and the pods that they and the user's templates make together. */
export function brokenPods(flat: WithPods, pods: Record<Color, PodSettings>): SettingViolation[] {
  const { preStopDelaySeconds, connectionDrain, autoscaling, quota, namespacePerColor } = flat;
  const broken = new Map<string, SettingViolation>();
  const refuse = (key: keyof FlatSettings, value: unknown, rule: string) =>
    broken.set(`${key} ${rule}`, violation(key, value, rule));
  for (const { terminationGracePeriodSeconds, http, resources } of colors.map((color) => pods[color])) {
    if (preStopDelaySeconds >= terminationGracePeriodSeconds)
      refuse(
        "preStopDelaySeconds",
        String(preStopDelaySeconds),
        `less than terminationGracePeriodSeconds (${terminationGracePeriodSeconds}), or the pod is killed while it drains`,
      );
    if (connectionDrain.port === http.port)
      refuse(
        "connectionDrain",
        connectionDrain,
        `another port than http.port (${http.port}), where the app answers`,
      );
    if (autoscaling.maxReplicas > 0 && absentOf(resources).includes("requests.cpu"))
      refuse(
        "autoscaling",
        autoscaling,
        "only with requests.cpu of the app's container, of which its autoscaler takes cpuPercent",
      );
    for (const name of quota.enabled ? absentOf(resources) : []) {
      const key = quotaKeys[name];
      if (quota[key] !== "" && quota[key] !== 0)
        refuse("quota", quota, `no ${key} where resources.limits has none: it would refuse every pod`);
    }
  }
  const pod = mostOf(pods.blue.pod, pods.green.pod);
  for (const { key, value, needed } of quota.enabled ? tooSmall({ ...flat, pod, pods }) : [])
    refuse(
      "quota",
      quota,
      `${key} (${value}) needs to be ${needed} or more: ${namespacePerColor ? "a color whole, in a rolling update, and the preflight pod" : "both colors whole, one of them in a rolling update, the preflight pod and the analysis controller"}`,
    );
  return [...broken.values()];
}
