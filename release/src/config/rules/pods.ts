import { colors, type Color } from "../../app/color.js";
import { mostOf } from "../amounts.js";
import { helpOf } from "../fields.js";
import { podKeys, type PodSettings } from "../podSettings.js";
import { absentOf, quotaKeys, tooSmall } from "../room.js";
import { settingKeys, shape, type FlatSettings } from "../schema.js";
import { violation, secretValue, type SettingViolation, type RawSettings } from "../violation.js";

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

/** Settings that a stack file may only hold encrypted. */
const encryptedKeys = ["secretEnv"] as const;

/**
 * Whether a color's variables have secret ones among them. Pulumi tells of a whole key whether something in it
 * is encrypted, not what.
 */
function hasSecrets(values: Partial<FlatSettings>, key: keyof FlatSettings): boolean {
  return (key === "blue" || key === "green") && Object.keys(values[key]?.secretEnv ?? {}).length > 0;
}

/** Values that the stack file keeps encrypted, and that would be readable in the end. */
export function undone(
  raw: RawSettings,
  values: Partial<FlatSettings>,
  encrypted: readonly string[] = [],
): SettingViolation[] {
  return settingKeys.flatMap((key) => {
    const { ends } = helpOf(shape[key]);
    if (ends === "secret" || raw[key] === undefined || !encrypted.includes(key) || hasSecrets(values, key))
      return [];
    const rule = `not encrypted: it ends readable, in ${ends.place}${ends.instead === undefined ? "" : `; a secret goes to ${ends.instead}, and this one gets another value where anybody has read it`}`;
    const told = violation(key, raw[key], rule);
    return [
      ends.instead === undefined
        ? told
        : { ...told, example: `pulumi config set --secret --path '${ends.instead}.NAME'` },
    ];
  });
}

/** Secrets that stand in the stack file for everybody to read. */
export function readable(
  raw: RawSettings,
  values: Partial<FlatSettings>,
  encrypted: readonly string[] | undefined,
): SettingViolation[] {
  if (encrypted === undefined) return [];
  const rule =
    "encrypted in the stack file: set it with --secret, and give it another value where the file has been shared";
  return [
    ...encryptedKeys
      .filter((key) => raw[key] !== undefined && raw[key] !== "{}" && !encrypted.includes(key))
      .map((key) => violation(key, raw[key], rule)),
    ...colors
      .filter((color) => hasSecrets(values, color) && !encrypted.includes(color))
      .map((color) => ({
        field: `${color}.secretEnv`,
        value: secretValue,
        rule,
        example: `pulumi config set --secret --path '${color}.secretEnv.NAME'`,
      })),
  ];
}
