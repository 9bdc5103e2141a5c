import type { z } from "zod";
import { brokenNames } from "./background.js";
import { podsOfColors } from "./podSettings.js";
import { composeTemplates } from "./podTemplate/strategicMerge.js";
import { colors } from "../app/color.js";
import { isFields } from "../util/json.js";
import { helpOf } from "./fields.js";
import { settingKeys, shape, type FlatSettings } from "./schema.js";
import { brokenTogether } from "./rules/together.js";
import { readable, undone, brokenPods, togetherWithPods } from "./rules/pods.js";
import { refusal, secretValue, violation, type RawSettings, type SettingViolation } from "./violation.js";

/** Of which code and config each give some; of the same one config counts. */
const mergedKeys = ["env", "secretEnv", "envFromSecrets", "podTemplate", ...colors] as const;

/**
 * A stack's config, as text by key, over what code says, each by its own name.
 * @throws UserError as `parseSettings`
 */
export function checkSettings(
  app: string,
  config: Record<string, string>,
  encrypted?: readonly string[],
  code: Record<string, unknown> = {},
): FlatSettings {
  const ofStack = setOnes(config);
  const ofCode = setOnes(code);
  const raw = { ...ofCode, ...ofStack };
  const { values, violations: broken } = parseEach(app, raw, settingKeys);
  const doubled = mergedKeys.filter((key) => key in ofCode && key in ofStack);
  const below = parseEach(app, ofCode, doubled);
  const stacked = parseEach(app, ofStack, [...colors]);
  for (const key of doubled) {
    const merge = key === "podTemplate" ? composeTemplates : over;
    Object.assign(values, { [key]: merge({ ...below.values[key] }, { ...values[key] }) });
  }
  const violations = [
    ...unknownKeys(raw),
    ...broken,
    ...below.violations,
    ...brokenTogether(values, raw),
    ...readable(ofStack, stacked.values, encrypted),
    ...undone(ofStack, stacked.values, encrypted),
    ...(hasAll(values, togetherWithPods)
      ? [
          ...brokenNames(app, values).map((rule) => violation("cronJobs", values.cronJobs, rule)),
          ...brokenPods(values, podsOfColors(app, values)),
        ]
      : []),
  ];
  // What somebody has encrypted is not shown, whatever it is.
  const isHidden = ({ field }: SettingViolation) => encrypted?.includes(field) === true;
  if (violations.length > 0 || !hasAll(values, settingKeys))
    throw refusal(violations.map((each) => (isHidden(each) ? { ...each, value: secretValue } : each)));
  return values;
}

/**
 * Some settings of a stack's config, for a command that needs no others.
 * @throws UserError naming every one of them that breaks its rule
 */
export function parseSome<Key extends keyof FlatSettings>(
  app: string,
  config: Record<string, string>,
  keys: Key[],
): Pick<FlatSettings, Key> {
  const { values, violations } = parseEach(app, setOnes(config), keys);
  if (violations.length > 0 || !hasAll(values, keys)) throw refusal(violations);
  return values;
}

function spread(under: object, value: object): object {
  return { ...under, ...value };
}

/** Both maps, and what they hold for each kind of variables where they hold that. */
function over(below: object = {}, above: object = {}): Record<string, unknown> {
  const kinds = new Map<string, unknown>(Object.entries(below));
  for (const [name, value] of Object.entries(above)) {
    const under = kinds.get(name);
    const isMap = isFields(value) && isFields(under);
    const merge = name === "podTemplate" ? composeTemplates : spread;
    kinds.set(name, isMap ? merge({ ...under }, { ...value }) : value);
  }
  return Object.fromEntries(kinds);
}

/**
 * Pulumi.yaml gives every optional text the default "", because Pulumi calls a typed setting without one
 * missing.
 */
function setOnes(given: RawSettings): RawSettings {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== "" && value !== undefined));
}

function parseEach(
  app: string,
  raw: RawSettings,
  keys: (keyof FlatSettings)[],
): { values: Partial<FlatSettings>; violations: SettingViolation[] } {
  const values: Partial<FlatSettings> = {};
  const violations: SettingViolation[] = [];
  for (const key of keys) {
    const given = raw[key] ?? helpOf(shape[key]).ofApp?.(app);
    // Each is parsed once or twice, and compiled it would pay off with the hundredth.
    const parsed = shape[key].safeParse(given, { jitless: true });
    if (parsed.success) Object.assign(values, { [key]: parsed.data });
    else violations.push(...broken(key, raw[key], parsed.error.issues));
  }
  return { values, violations };
}

function hasAll<Key extends keyof FlatSettings>(
  values: Partial<FlatSettings>,
  keys: readonly Key[],
): values is Pick<FlatSettings, Key> {
  return keys.every((key) => key in values);
}

function unknownKeys(raw: RawSettings): SettingViolation[] {
  const known: ReadonlySet<string> = new Set(settingKeys);
  return Object.keys(raw)
    .filter((key) => !known.has(key))
    .map((key) => ({
      field: key,
      value: "[not shown]",
      rule: `not a setting; the settings are ${settingKeys.join(", ")}`,
      example: `pulumi config rm ${key}`,
    }));
}

/**
 * A setting's own rule, or those of its parts, each by its path: what a part holds may be a secret in the
 * wrong place.
 */
function broken(key: keyof FlatSettings, value: unknown, issues: z.core.$ZodIssue[]): SettingViolation[] {
  const { rule, parts } = helpOf(shape[key]);
  if (parts === undefined) return [violation(key, value, rule)];
  const each = issues.map((issue): SettingViolation => {
    const unknown = issue.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [];
    const path = [...issue.path, ...unknown];
    const between = issue.code === "custom" && path.length === 0 ? issue.message : undefined;
    return {
      ...violation(key, value, between ?? parts[String(path[0])] ?? rule),
      field: `${key}${path.map(pathPart).join("")}`,
    };
  });
  return each.filter(({ field }, index) => each.findIndex((other) => other.field === field) === index);
}

function pathPart(part: PropertyKey): string {
  if (typeof part === "number") return `[${part}]`;
  return /^[A-Za-z_]\w*$/.test(String(part)) ? `.${String(part)}` : `[${JSON.stringify(String(part))}]`;
}
