import type { z } from "zod";
import { tooSmall } from "../capacity/room.js";
import { colors, otherColor, type Color } from "../color.js";
import { homesOf } from "../homes.js";
import { Refusal } from "../refusal.js";
import { routes } from "../route/routes.js";
import { allOn, type Weights } from "../route/weights.js";
import type { Together } from "../clusters/together.js";
import { helpOf } from "./fields.js";
import { quantity } from "./quantity.js";
import { isSeparate, openaiVariable, shape, type FlatSettings } from "./schema.js";

export type { FlatSettings };
export type ProbeTimings = FlatSettings["livenessProbe"];

/** What differs between the colors. A color without a tag is not deployed: its Deployment stays at zero. */
export interface ColorSettings {
  tag: string | undefined;
  environment: Record<string, string>;
  /** The same in secret, the key of the third party among them where config gives it. */
  secretEnvironment: Record<string, string>;
}

/** A stack's config after every rule has been checked. */
export interface Settings
  extends Omit<
    FlatSettings,
    | "blueTag"
    | "greenTag"
    | "environment"
    | "blueEnvironment"
    | "greenEnvironment"
    | "secretEnvironment"
    | "blueSecretEnvironment"
    | "greenSecretEnvironment"
    | "openaiApiKey"
    | "databaseAdminUrl"
    | "databaseAddress"
    | "weights"
    | "clusterIssuer"
  > {
  /** Who gets how many of 100 users; all of them the active color, unless config shares them out. */
  weights: Weights;
  clusterIssuer: string | undefined;
  colors: Record<Color, ColorSettings>;
  /** Present when the program makes the database account itself. */
  databaseAccount: { adminUrl: string; address: string } | undefined;
  /** Which of several clusters these are for; null where there is only one. */
  together: Together | null;
}

/** Every key that a stack's config may have. */
export const settingKeys = Object.keys(shape) as (keyof FlatSettings)[];

type RawSettings = Record<string, string | undefined>;

interface SettingViolation {
  /** A setting, or the path of a part of one. */
  field: string;
  /** What is shown instead of it, where it may not be shown. */
  value: string;
  rule: string;
  example: string;
}

/** A name that is a part of host names. */
const namespaceMax = 63;

/** Settings that a stack file may only hold encrypted. */
const encryptedKeys = ["secretEnvironment", "blueSecretEnvironment", "greenSecretEnvironment", "openaiApiKey"] as const;

/**
 * Reads a stack's config as text by key.
 * @param encrypted the keys whose values the stack file keeps encrypted; not given, that is not checked
 * @param fromCode the keys whose values are in no stack file
 * @throws Refusal naming every violation at once, each with field, value, rule and example
 */
export function parseSettings(config: Record<string, string>, encrypted?: readonly string[], fromCode: readonly string[] = []): Settings {
  const raw = setOnes(config);
  const { values, violations: broken } = parseEach(raw, settingKeys);
  const violations = [...unknownKeys(raw), ...broken, ...brokenTogether(values, raw), ...readable(raw, encrypted, fromCode), ...undone(raw, encrypted)];
  // What somebody has encrypted is not shown, whatever it is.
  const isHidden = ({ field }: SettingViolation) => encrypted?.includes(field) === true;
  if (violations.length > 0 || !hasAll(values, settingKeys)) throw refusal(violations.map((each) => (isHidden(each) ? { ...each, value: secretValue } : each)));
  return arrange(values);
}

/**
 * Some settings of a stack's config, for a command that needs no others.
 * @throws Refusal naming every one of them that breaks its rule
 */
export function parseSome<Key extends keyof FlatSettings>(config: Record<string, string>, keys: Key[]): Pick<FlatSettings, Key> {
  const { values, violations } = parseEach(setOnes(config), keys);
  if (violations.length > 0 || !hasAll(values, keys)) throw refusal(violations);
  return values;
}

/** Pulumi.yaml gives every optional text the default "", because Pulumi calls a typed setting without one missing. */
function setOnes(config: Record<string, string>): RawSettings {
  return Object.fromEntries(Object.entries(config).filter(([, text]) => text !== ""));
}

function parseEach(raw: RawSettings, keys: (keyof FlatSettings)[]): { values: Partial<FlatSettings>; violations: SettingViolation[] } {
  const values: Partial<FlatSettings> = {};
  const violations: SettingViolation[] = [];
  for (const key of keys) {
    const parsed = shape[key].safeParse(raw[key]);
    if (parsed.success) Object.assign(values, { [key]: parsed.data });
    else violations.push(...broken(key, raw[key], parsed.error.issues));
  }
  return { values, violations };
}

function hasAll<Key extends keyof FlatSettings>(values: Partial<FlatSettings>, keys: Key[]): values is Pick<FlatSettings, Key> {
  return keys.every((key) => key in values);
}

function unknownKeys(raw: RawSettings): SettingViolation[] {
  const known: ReadonlySet<string> = new Set(settingKeys);
  return Object.keys(raw)
    .filter((key) => !known.has(key))
    .map((key) => ({ field: key, value: "[not shown]", rule: `not a setting; the settings are ${settingKeys.join(", ")}`, example: `pulumi config rm ${key}` }));
}

/** A setting's own rule, or those of its parts, each by its path: what a part holds may be a secret in the wrong place. */
function broken(key: keyof FlatSettings, value: string | undefined, issues: z.core.$ZodIssue[]): SettingViolation[] {
  const { rule, parts } = helpOf(shape[key]);
  if (parts === undefined) return [violation(key, value, rule)];
  const each = issues.map((issue): SettingViolation => {
    const unknown = issue.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [];
    const path = [...issue.path, ...unknown];
    const between = issue.code === "custom" && path.length === 0 ? issue.message : undefined;
    return { ...violation(key, value, between ?? parts[String(path[0])] ?? rule), field: `${key}${path.map(pathPart).join("")}` };
  });
  return each.filter(({ field }, index) => each.findIndex((other) => other.field === field) === index);
}

function pathPart(part: PropertyKey): string {
  if (typeof part === "number") return `[${part}]`;
  return /^[A-Za-z_]\w*$/.test(String(part)) ? `.${String(part)}` : `[${JSON.stringify(String(part))}]`;
}

/** Values that the stack file keeps encrypted, and that would be readable in the end. */
function undone(raw: RawSettings, encrypted: readonly string[] = []): SettingViolation[] {
  return settingKeys.flatMap((key) => {
    const { ends } = helpOf(shape[key]);
    if (ends === "secret" || raw[key] === undefined || !encrypted.includes(key)) return [];
    const rule = `not encrypted: it ends readable, in ${ends.place}${ends.instead === undefined ? "" : `; a secret goes to ${ends.instead}, and this one gets another value where anybody has read it`}`;
    const told = violation(key, raw[key], rule);
    return [ends.instead === undefined ? told : { ...told, example: `pulumi config set --secret --path '${ends.instead}.NAME'` }];
  });
}

/** Secrets that stand in the stack file for everybody to read. */
function readable(raw: RawSettings, encrypted: readonly string[] | undefined, fromCode: readonly string[]): SettingViolation[] {
  if (encrypted === undefined) return [];
  return encryptedKeys
    .filter((key) => raw[key] !== undefined && raw[key] !== "{}" && !encrypted.includes(key) && !fromCode.includes(key))
    .map((key) => violation(key, raw[key], "encrypted in the stack file: set it with --secret, and give it another value where the file has been shared"));
}

/** Rules between settings. Each looks only at values that are right by themselves. */
function brokenTogether(values: Partial<FlatSettings>, raw: RawSettings): SettingViolation[] {
  const broken: SettingViolation[] = [];
  const { activeColor, cpuRequest, cpuLimit, memoryRequest, memoryLimit, drainSeconds, terminationGraceSeconds } = values;
  if (activeColor !== undefined && raw[`${activeColor}Tag`] === undefined) {
    broken.push(violation(`${activeColor}Tag`, undefined, `the active color (${activeColor}) needs an image tag`));
  }
  if (cpuRequest !== undefined && cpuLimit !== undefined && quantity(cpuRequest) > quantity(cpuLimit)) {
    broken.push(violation("cpuRequest", cpuRequest, `at most cpuLimit (${cpuLimit})`));
  }
  if (memoryRequest !== undefined && memoryLimit !== undefined && quantity(memoryRequest) > quantity(memoryLimit)) {
    broken.push(violation("memoryRequest", memoryRequest, `at most memoryLimit (${memoryLimit})`));
  }
  if (drainSeconds !== undefined && terminationGraceSeconds !== undefined && drainSeconds >= terminationGraceSeconds) {
    broken.push(violation("drainSeconds", String(drainSeconds), `less than terminationGraceSeconds (${terminationGraceSeconds}), or the pod is killed while it drains`));
  }
  if (values.contractVersion !== undefined && values.schemaVersion !== undefined && values.contractVersion > values.schemaVersion) {
    broken.push(violation("contractVersion", values.contractVersion, `at most schemaVersion (${values.schemaVersion}): what comes before a contract migration is applied first`));
  }
  if (values.database !== undefined && values.database.strategy !== "shared" && raw["databaseAdminUrl"] !== undefined) {
    broken.push(violation("databaseAdminUrl", raw["databaseAdminUrl"], `only with the strategy shared; ${values.database.strategy === "none" ? "with none the app has no database" : `with ${values.database.strategy} each color has a Secret of yours`}`));
  }
  if (values.database?.strategy === "none") {
    for (const key of ["schemaVersion", "contractVersion"] as const) {
      if (raw[key] !== undefined) broken.push(violation(key, raw[key], "only with a database: database.strategy is none"));
    }
  }
  if (values.drain !== undefined && values.http !== undefined && values.drain.port === values.http.port) {
    broken.push(violation("drain", raw["drain"], `another port than http.port (${values.http.port}), where the app answers`));
  }
  if (raw["databaseAddress"] !== undefined && raw["databaseAdminUrl"] === undefined) {
    broken.push(violation("databaseAddress", raw["databaseAddress"], "only together with databaseAdminUrl"));
  }
  if (values.databaseAdminUrl !== undefined && raw["databaseAddress"] === undefined) {
    broken.push(violation("databaseAddress", undefined, "needed with databaseAdminUrl: pods may see the server under another address"));
  }
  broken.push(...brokenTraffic(values, raw), ...brokenIsolation(values, raw), ...brokenClusters(values, raw));
  if (hasAll(values, ["quota", "isolation", "replicas", "autoscaling", "watcherImage", "cpuRequest", "cpuLimit", "memoryRequest", "memoryLimit"]) && values.quota.enabled) {
    for (const { key, value, needed } of tooSmall(values)) {
      broken.push(violation("quota", raw["quota"], `${key} (${value}) needs to be ${needed} or more: ${values.isolation === "shared" ? "both colors whole, one of them in a rolling update, the trial's pod and the watcher" : "a color whole, in a rolling update, and the trial's pod"}`));
    }
  }
  for (const name of Object.keys(values.secretVariables ?? {}).filter((each) => each in (values.environment ?? {}))) {
    broken.push(violation("secretVariables", raw["secretVariables"], `${name} is in environment as well: a variable is either secret or readable`));
  }
  for (const color of colors) {
    for (const name of inBoth(values, color)) {
      broken.push(violation("secretEnvironment", "", `${name} of ${color} is in environment or ${color}Environment as well: a variable is either secret or readable`));
    }
  }
  return broken;
}

/** What the controller that users come in by cannot do, and shares that nobody could have. */
function brokenTraffic({ traffic, weights, activeColor, database, host }: Partial<FlatSettings>, raw: RawSettings): SettingViolation[] {
  if (traffic === undefined) return [];
  const { mode, route, affinity, internalHost } = traffic;
  const { can, weights: shares } = routes[route];
  const broken: SettingViolation[] = [];
  const refuse = (key: keyof FlatSettings, rule: string) => broken.push(violation(key, raw[key], rule));
  if (mode === "route" && shares === undefined) refuse("traffic", `mode service with route ${route}: it refers to one color at a time; on GKE, gateway refers to both`);
  if (affinity === "cookie" && !can.affinityCookie) refuse("traffic", `affinity none or clientIP with route ${route}, which sets no cookie`);
  if (internalHost !== "" && internalHost === host) refuse("traffic", `another internalHost than host (${host}): on it the color paths ask for no password, and users' host is open to everybody`);
  if (internalHost !== "" && !can.colorPaths) refuse("traffic", `no internalHost with route ${route}, which has no color paths`);
  if (weights === undefined || activeColor === undefined) return broken;
  const idle = otherColor(activeColor);
  if (mode !== "route") refuse("weights", "only with traffic.mode route: a Service sends all users to one color");
  if (weights[activeColor] === 0) refuse("weights", `the active color (${activeColor}) keeps a part: to move all users, pulumi config set activeColor ${idle} && pulumi config rm weights`);
  if (weights[idle] > 0 && raw[`${idle}Tag`] === undefined) refuse(`${idle}Tag`, `${idle} gets ${weights[idle]} % of the users and needs an image tag`);
  if (weights[idle] > 0 && database !== undefined && isSeparate(database.strategy)) refuse("weights", `only with the database strategy shared: with ${database.strategy} one color at a time may write`);
  return broken;
}

/** With a namespace for each color: what cannot lead there, and names that would be too long. */
function brokenIsolation({ isolation, namespace, traffic }: Partial<FlatSettings>, raw: RawSettings): SettingViolation[] {
  if (isolation !== "namespaces") return [];
  const broken: SettingViolation[] = [];
  if (traffic !== undefined && traffic.mode !== "route") broken.push(violation("isolation", isolation, "only with traffic.mode route: the selector of a Service does not reach pods of another namespace"));
  if (traffic !== undefined && !routes[traffic.route].can.otherNamespaces) {
    const able = Object.values(routes).filter(({ can }) => can.otherNamespaces).map(({ kind }) => kind);
    broken.push(violation("isolation", isolation, `only with traffic.route ${able.join(" or ")}: an Ingress (${traffic.route}) refers to Services of its own namespace`));
  }
  const longest = homesOf({ namespace: namespace ?? "", isolation }).find((name) => name.length > namespaceMax);
  if (namespace !== undefined && longest !== undefined) broken.push(violation("namespace", raw["namespace"], `with isolation namespaces at most ${namespaceMax - (longest.length - namespace.length)} characters: ${longest} would be too long for a namespace`));
  return broken;
}

/** What one release over several clusters cannot promise. */
function brokenClusters({ clusters, database, readOnlyFence }: Partial<FlatSettings>, raw: RawSettings): SettingViolation[] {
  if (clusters === undefined || clusters.members.length === 0) return [];
  const broken: SettingViolation[] = [];
  const refuse = (key: keyof FlatSettings, rule: string) => broken.push(violation(key, raw[key], rule));
  if (raw["context"] !== undefined) refuse("context", "not set with clusters, whose members have a context each: pulumi config rm context");
  if (raw["weights"] !== undefined) refuse("weights", "not set with clusters: users already come to each cluster by a balancer's share; with clusters.order inOrder the first one is the trial");
  if (database !== undefined && isSeparate(database.strategy)) refuse("database", `strategy shared with clusters: with ${database.strategy} a switch in one cluster takes the writing from users of the others`);
  if (readOnlyFence !== undefined && readOnlyFence.seconds > 0) refuse("readOnlyFence", "seconds 0 with clusters: one Redis cannot be told for which of them");
  return broken;
}

/** Variables of a color that would come from two places. */
function inBoth(values: Partial<FlatSettings>, color: Color): string[] {
  const plain = { ...values.environment, ...values[`${color}Environment`] };
  return Object.keys({ ...values.secretEnvironment, ...values[`${color}SecretEnvironment`] }).filter((name) => name in plain);
}

const secretValue = "[secret]";

function violation(key: keyof FlatSettings, value: string | undefined, rule: string): SettingViolation {
  const { example } = helpOf(shape[key]);
  const command = example.includes("--path ") ? `pulumi config set ${example}` : `pulumi config set ${key} ${example}`;
  return { field: key, value: value === undefined ? "(not set)" : shownValue(key, value), rule, example: command };
}

function shownValue(key: keyof FlatSettings, value: string): string {
  const { ends, hidden = false, parts } = helpOf(shape[key]);
  if (ends === "secret") return secretValue;
  return hidden || parts !== undefined ? "[not shown]" : JSON.stringify(value);
}

function refusal(violations: SettingViolation[]): Refusal {
  const lines = violations.map(
    ({ field, value, rule, example }) => `  ${field} = ${value}\n    rule:    ${rule}\n    example: ${example}`,
  );
  const count = violations.length === 1 ? "1 setting was" : `${violations.length} settings were`;
  return new Refusal({ what: `${count} refused\n${lines.join("\n")}`, rule: "every setting is checked before anything is touched; nothing was", next: "correct them and run it again" });
}

function arrange(flat: FlatSettings): Settings {
  const {
    blueTag,
    greenTag,
    environment,
    blueEnvironment,
    greenEnvironment,
    secretEnvironment,
    blueSecretEnvironment,
    greenSecretEnvironment,
    openaiApiKey,
    databaseAdminUrl,
    databaseAddress,
    weights = allOn(flat.activeColor),
    clusterIssuer,
    ...rest
  } = flat;
  const databaseAccount = databaseAdminUrl !== undefined && databaseAddress !== undefined ? { adminUrl: databaseAdminUrl, address: databaseAddress } : undefined;
  const shared = { ...(openaiApiKey !== undefined && { [openaiVariable]: openaiApiKey }), ...secretEnvironment };
  return {
    ...rest,
    weights,
    clusterIssuer: clusterIssuer === "none" ? undefined : clusterIssuer,
    colors: {
      blue: { tag: blueTag, environment: { ...environment, ...blueEnvironment }, secretEnvironment: { ...shared, ...blueSecretEnvironment } },
      green: { tag: greenTag, environment: { ...environment, ...greenEnvironment }, secretEnvironment: { ...shared, ...greenSecretEnvironment } },
    },
    databaseAccount,
    together: null,
  };
}

/** A variable of a color's pods that somebody's Secret has: what config gives itself is not asked of one. */
export function secretKeysOf({ secretVariables, colors: each }: Pick<Settings, "secretVariables" | "colors">, color: Color): { variable: string; name: string; key: string }[] {
  return Object.entries(secretVariables).flatMap(([variable, at]) => {
    if (variable in each[color].secretEnvironment) return [];
    const [name = "", key = ""] = at.split("/");
    return [{ variable, name, key }];
  });
}

/** Where a stack's app is: a cluster, and what is known there of the others. */
export type Place = Pick<Settings, "context" | "together">;

/** The clusters of a stack, in the order of config. */
export function placesOf({ context, clusters: { members, onFailure } }: Pick<FlatSettings, "context" | "clusters">): Place[] {
  if (members.length === 0) return [{ context, together: null }];
  return members.map((member) => ({ context: member.context, together: { name: member.name, others: members.filter((each) => each !== member), onFailure } }));
}
