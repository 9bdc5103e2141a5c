import type { z } from "zod";
import { mostOf } from "./amounts.js";
import { podKeys, podsOfColors, type PodSettings } from "./podSettings.js";
import { composeTemplates } from "./podTemplate/strategicMerge.js";
import { absentOf, quotaKeys, tooSmall } from "./room.js";
import { brokenNames } from "./cronJobs.js";
import { followersOf, type Followers } from "./followers.js";
import { colors, otherColor, type Color } from "../app/color.js";
import { homesOf } from "../app/homes.js";
import { isFields } from "../util/fields.js";
import { UserError } from "../util/userError.js";
import { gatewayRequests, isGatewaySource } from "../routers/gatewayRequests.js";
import { routers, whichCan } from "../routers/routers.js";
import { secretKeyAt } from "./forms.js";
import { weightsOf, type Weights } from "../routers/weights.js";
import type { Together } from "./clusters.js";
import { helpOf } from "./fields.js";
import { isSeparate, shape, type FlatSettings } from "./schema.js";

export type { FlatSettings };
export type ProbeTimings = FlatSettings["livenessProbe"];

/** What differs between the colors. A color without a tag is not deployed: its Deployment stays at zero. */
export interface ColorSettings {
  tag: string | undefined;
  env: Record<string, string>;
  /** The same in secret. */
  secretEnv: Record<string, string>;
  /** SECRET/KEY by the variable that takes it. */
  envFromSecrets: Record<string, string>;
}

/** A stack's config after every rule has been checked. */
export interface Settings
  extends
    Omit<
      FlatSettings,
      | "blueTag"
      | "greenTag"
      | "env"
      | "secretEnv"
      | "envFromSecrets"
      | Color
      | "databaseAdminUrl"
      | "databaseAddress"
      | "canaryWeight"
      | "clusterIssuer"
      | keyof PodSettings
    >,
    Omit<PodSettings, "podTemplate" | "workers" | "cronJobs"> {
  /** Of each color. What stands above it is that of the active one, and what a pod of either needs at most. */
  pods: Record<Color, PodSettings>;
  /** Who gets how many of 100 users: the idle color canaryWeight of them. */
  weights: Weights;
  clusterIssuer: string | undefined;
  colors: Record<Color, ColorSettings>;
  /** What is to follow the live color; undefined where nothing is. */
  followers: Followers | undefined;
  /** Present when the program makes the database account itself. */
  databaseAccount: { adminUrl: string; address: string } | undefined;
  /** Which of several clusters these are for; null where there is only one. */
  together: Together | null;
}

/** Every key that a stack's config may have. */
export const settingKeys = Object.keys(shape) as (keyof FlatSettings)[];

/** Texts of a stack's config, values of code. */
type RawSettings = Record<string, unknown>;

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
const encryptedKeys = ["secretEnv"] as const;

/** Of which code and config each give some; of the same one config counts. */
const mergedKeys = ["env", "secretEnv", "envFromSecrets", "podTemplate", ...colors] as const;

/**
 * All settings of an app, checked.
 * @param app its name, which those names that nobody gives begin with
 * @param encrypted the keys whose values the stack file keeps encrypted; not given, that is not checked
 * @param code what the program says below the config, and no stack file holds
 * @throws UserError naming every violation at once, each with field, value, rule and example
 */
export function parseSettings(
  app: string,
  config: Record<string, string>,
  encrypted?: readonly string[],
  code: Record<string, unknown> = {},
): Settings {
  return arrange(app, checkSettings(app, config, encrypted, code));
}

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
    const parsed = shape[key].safeParse(raw[key] ?? helpOf(shape[key]).ofApp?.(app));
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

/**
 * Whether a color's variables have secret ones among them. Pulumi tells of a whole key whether something in it
 * is encrypted, not what.
 */
function hasSecrets(values: Partial<FlatSettings>, key: keyof FlatSettings): boolean {
  return (key === "blue" || key === "green") && Object.keys(values[key]?.secretEnv ?? {}).length > 0;
}

/** Values that the stack file keeps encrypted, and that would be readable in the end. */
function undone(
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
function readable(
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

/** Rules between settings. Each looks only at values that are right by themselves. */
function brokenTogether(values: Partial<FlatSettings>, raw: RawSettings): SettingViolation[] {
  const broken: SettingViolation[] = [];
  const { activeColor } = values;
  if (activeColor !== undefined && raw[`${activeColor}Tag`] === undefined) {
    broken.push(
      violation(`${activeColor}Tag`, undefined, `the active color (${activeColor}) needs an image tag`),
    );
  }
  if (
    values.contractMigration !== undefined &&
    values.schemaVersion !== undefined &&
    values.contractMigration > values.schemaVersion
  ) {
    broken.push(
      violation(
        "contractMigration",
        values.contractMigration,
        `at most schemaVersion (${values.schemaVersion}): what comes before a contract migration is applied first`,
      ),
    );
  }
  if (
    values.database !== undefined &&
    values.database.strategy !== "shared" &&
    raw["databaseAdminUrl"] !== undefined
  ) {
    broken.push(
      violation(
        "databaseAdminUrl",
        raw["databaseAdminUrl"],
        `only with the strategy shared; ${values.database.strategy === "none" ? "with none the app has no database" : `with ${values.database.strategy} each color has a Secret of yours`}`,
      ),
    );
  }
  if (
    values.migrations !== undefined &&
    values.migrations.command.length > 0 &&
    values.database !== undefined &&
    isSeparate(values.database.strategy)
  ) {
    broken.push(
      violation(
        "migrations",
        raw["migrations"],
        `no command with ${values.database.strategy}, where it would have to run on both databases at once`,
      ),
    );
  }
  if (values.database?.runIn === "cluster") {
    const refuse = (key: "analysis" | "database", rule: string) =>
      broken.push(violation(key, raw[key], rule));
    if (values.database.strategy !== "shared")
      refuse(
        "database",
        `runIn update with strategy ${values.database.strategy}: ${values.database.strategy === "none" ? "the app has no database" : "the analysis controller hands the writing over, too, and a command here makes standbys"}`,
      );
    if (values.analysis?.controllerImage === "")
      refuse(
        "analysis",
        "a controllerImage with database.runIn cluster: the pod that leads to the database runs it",
      );
  }
  if (values.database?.strategy === "none") {
    for (const key of ["schemaVersion", "contractMigration"] as const) {
      if (raw[key] !== undefined)
        broken.push(violation(key, raw[key], "only with a database: database.strategy is none"));
    }
  }
  if (raw["databaseAddress"] !== undefined && raw["databaseAdminUrl"] === undefined) {
    broken.push(violation("databaseAddress", raw["databaseAddress"], "only together with databaseAdminUrl"));
  }
  if (values.databaseAdminUrl !== undefined && raw["databaseAddress"] === undefined) {
    broken.push(
      violation(
        "databaseAddress",
        undefined,
        "needed with databaseAdminUrl: pods may see the server under another address",
      ),
    );
  }
  broken.push(
    ...brokenAnalysis(values, raw),
    ...brokenTraffic(values, raw),
    ...brokenIsolation(values, raw),
    ...brokenClusters(values, raw),
  );
  for (const color of colors) {
    for (const name of inBoth(values, color)) {
      broken.push(
        violation(
          "secretEnv",
          "",
          `${name} of ${color} is in env or ${color}.env as well: a variable is either secret or readable`,
        ),
      );
    }
  }
  return broken;
}

/** What pods are made of, and what has to go with them. */
const togetherWithPods = [
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
function brokenPods(flat: WithPods, pods: Record<Color, PodSettings>): SettingViolation[] {
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

/** Figures that nobody can give. */
function brokenAnalysis({ analysis, traffic }: Partial<FlatSettings>, raw: RawSettings): SettingViolation[] {
  if (analysis === undefined || traffic === undefined) return [];
  const { requestsFrom, noData, prometheusUrl, routerMetricsUrl } = analysis;
  const refuse = (rule: string) => [violation("analysis", raw["analysis"], rule)];
  const isMesh = requestsFrom === "istio" || requestsFrom === "linkerd";
  if (isMesh && prometheusUrl === "")
    return refuse(`prometheusUrl with requestsFrom ${requestsFrom}: its figures are Prometheus'`);
  if (isMesh || (requestsFrom === "pods" && noData !== "router")) return [];
  if (isGatewaySource(requestsFrom)) {
    if (traffic.router !== "gateway")
      return refuse(`requestsFrom ${requestsFrom} only with traffic.router gateway, not ${traffic.router}`);
    if (gatewayRequests[requestsFrom].countsByRule && traffic.strategy === "weighted")
      return refuse(
        `traffic.strategy selector with requestsFrom ${requestsFrom}, which counts both colors of a rule together; with weights: pods, istio or linkerd`,
      );
  } else if (routers[traffic.router].requests === undefined) {
    const gateways =
      traffic.router === "gateway"
        ? `; with gateway, requestsFrom names who implements it: ${Object.keys(gatewayRequests).join(", ")}. NGINX Gateway Fabric counts all routes together, without a status: take pods, istio, linkerd or a query`
        : "";
    return refuse(
      `requestsFrom and noData without router, where traffic.router is ${traffic.router}: only ${whichCan(({ requests }) => requests !== undefined)} tells a color's requests${gateways}`,
    );
  }
  return prometheusUrl === "" && routerMetricsUrl === ""
    ? refuse("prometheusUrl or routerMetricsUrl, to ask for the router's figures")
    : [];
}

/** What the controller that users come in by cannot do, and shares that nobody could have. */
function brokenTraffic(
  {
    traffic,
    canaryWeight,
    activeColor,
    database,
    host,
    ingress,
    service,
    namespacePerColor,
  }: Partial<FlatSettings>,
  raw: RawSettings,
): SettingViolation[] {
  if (traffic === undefined) return [];
  const { strategy, router, affinity, internalHost } = traffic;
  const { can, weights, isWeightedOnly } = routers[router];
  const broken: SettingViolation[] = [];
  const refuse = (key: keyof FlatSettings, rule: string) => broken.push(violation(key, raw[key], rule));
  if (strategy === "weighted" && weights === undefined)
    refuse(
      "traffic",
      `strategy selector with router ${router}: ${router === "none" ? "no ingress has weights" : "it refers to one color at a time; on GKE, gateway refers to both"}`,
    );
  if (strategy === "selector" && isWeightedOnly)
    refuse(
      "traffic",
      `strategy weighted with router ${router}: its load balancer holds the addresses of pods, a switch of the selector replaces all of them, and until the new ones are healthy users get 503`,
    );
  if (affinity === "cookie" && !can.affinityCookie)
    refuse("traffic", `affinity none or clientIP with router ${router}, which sets no cookie`);
  // A host that breaks its own rule is said by that rule.
  if (router !== "none" && raw["host"] === undefined)
    refuse("host", `a host name with router ${router}: users come in by it`);
  if (internalHost !== "" && internalHost === host)
    refuse(
      "traffic",
      `another internalHost than host (${host}): on it the color paths ask for no password, and users' host is open to everybody`,
    );
  if (internalHost !== "" && can.colorPaths === false)
    refuse("traffic", `no internalHost with router ${router}, which has no color paths`);
  if (ingress !== undefined) {
    if (!can.otherPaths && ingress.paths.length > 0)
      refuse(
        "ingress",
        `no paths with router ${router}: only ${whichCan((each) => each.can.otherPaths)} has some`,
      );
    if (
      router === "none" &&
      [...ingress.hosts, ...Object.keys(ingress.annotations), ingress.tlsSecret].join("") !== ""
    )
      refuse("ingress", "nothing with router none, which makes no ingress");
    if (host !== undefined && ingress.hosts.includes(host))
      refuse("ingress", `hosts without host (${host}), which is there already`);
    if (internalHost !== "" && ingress.hosts.includes(internalHost))
      refuse(
        "ingress",
        `hosts without traffic.internalHost (${internalHost}): users' hosts are open to everybody`,
      );
  }
  if (namespacePerColor === true && service !== undefined && service.type !== "ClusterIP")
    refuse(
      "service",
      "type ClusterIP with namespacePerColor: the active Service is a name there, and has no pods",
    );
  if (canaryWeight === undefined || canaryWeight === 0 || activeColor === undefined) return broken;
  const idle = otherColor(activeColor);
  if (strategy !== "weighted")
    refuse("canaryWeight", "0 without traffic.strategy weighted: a Service sends all traffic to one color");
  if (raw[`${idle}Tag`] === undefined)
    refuse(`${idle}Tag`, `${idle} gets ${canaryWeight} % of the traffic and needs an image tag`);
  if (database !== undefined && isSeparate(database.strategy))
    refuse(
      "canaryWeight",
      `0 without the database strategy shared: with ${database.strategy} one color at a time may write`,
    );
  return broken;
}

/** With a namespace for each color: what cannot lead there, and names that would be too long. */
function brokenIsolation(
  { namespacePerColor, namespace, traffic }: Partial<FlatSettings>,
  raw: RawSettings,
): SettingViolation[] {
  if (namespacePerColor !== true) return [];
  const broken: SettingViolation[] = [];
  if (traffic !== undefined && traffic.strategy !== "weighted")
    broken.push(
      violation(
        "namespacePerColor",
        raw["namespacePerColor"],
        "only with traffic.strategy weighted: the selector of a Service does not reach pods of another namespace",
      ),
    );
  if (traffic !== undefined && !routers[traffic.router].can.otherNamespaces) {
    broken.push(
      violation(
        "namespacePerColor",
        raw["namespacePerColor"],
        `only with traffic.router ${whichCan(({ can }) => can.otherNamespaces)}: an Ingress (${traffic.router}) refers to Services of its own namespace`,
      ),
    );
  }
  const longest = homesOf({ namespace: namespace ?? "", namespacePerColor }).find(
    (name) => name.length > namespaceMax,
  );
  if (namespace !== undefined && longest !== undefined)
    broken.push(
      violation(
        "namespace",
        raw["namespace"],
        `with namespacePerColor at most ${namespaceMax - (longest.length - namespace.length)} characters: ${longest} would be too long for a namespace`,
      ),
    );
  return broken;
}

/** What one release over several clusters cannot promise. */
function brokenClusters(
  { clusters, database, writeFreeze, canaryWeight }: Partial<FlatSettings>,
  raw: RawSettings,
): SettingViolation[] {
  if (clusters === undefined || clusters.targets.length === 0) return [];
  const broken: SettingViolation[] = [];
  const refuse = (key: keyof FlatSettings, rule: string) => broken.push(violation(key, raw[key], rule));
  if (raw["context"] !== undefined)
    refuse("context", "not set with clusters, whose targets have a context each: pulumi config rm context");
  if (canaryWeight !== undefined && canaryWeight > 0)
    refuse(
      "canaryWeight",
      "0 with clusters: users already come to each cluster by a balancer's share; with clusters.rollout sequential the first one is the canary",
    );
  if (database !== undefined && isSeparate(database.strategy))
    refuse(
      "database",
      `strategy shared with clusters: with ${database.strategy} a switch in one cluster takes the writing from users of the others`,
    );
  if (writeFreeze !== undefined && writeFreeze.maxSeconds > 0)
    refuse("writeFreeze", "maxSeconds 0 with clusters: one Redis cannot be told for which of them");
  return broken;
}

/** Variables of a color that would be readable and secret at once. */
function inBoth(values: Partial<FlatSettings>, color: Color): string[] {
  const own = values[color];
  const secret = [values.secretEnv, own?.secretEnv, values.envFromSecrets, own?.envFromSecrets];
  const plain = { ...values.env, ...own?.env };
  return Object.keys(Object.assign({}, ...secret) as object).filter((name) => name in plain);
}

const secretValue = "[secret]";

function violation(key: keyof FlatSettings, value: unknown, rule: string): SettingViolation {
  const { example } = helpOf(shape[key]);
  const command = example.includes("--path ")
    ? `pulumi config set ${example}`
    : `pulumi config set ${key} ${example}`;
  return {
    field: key,
    value: value === undefined ? "(not set)" : shownValue(key, value),
    rule,
    example: command,
  };
}

function shownValue(key: keyof FlatSettings, value: unknown): string {
  const { ends, hidden = false, parts } = helpOf(shape[key]);
  if (ends === "secret") return secretValue;
  return hidden || parts !== undefined ? "[not shown]" : JSON.stringify(value);
}

function refusal(violations: SettingViolation[]): UserError {
  const lines = violations.map(
    ({ field, value, rule, example }) =>
      `  ${field} = ${value}\n    rule:    ${rule}\n    example: ${example}`,
  );
  const count = violations.length === 1 ? "1 setting was" : `${violations.length} settings were`;
  return new UserError({
    code: "BG-CONFIG-INVALID",
    what: `${count} refused\n${lines.join("\n")}`,
    rule: "every setting is checked before anything is touched; nothing was",
    next: "correct them and run it again",
  });
}

/** Settings by what they are for, from those of `checkSettings`. */
function arrange(app: string, flat: FlatSettings): Settings {
  const {
    blueTag,
    greenTag,
    env,
    secretEnv,
    envFromSecrets,
    blue,
    green,
    databaseAdminUrl,
    databaseAddress,
    canaryWeight,
    clusterIssuer,
    workers,
    cronJobs,
    ...rest
  } = flat;
  const databaseAccount =
    databaseAdminUrl !== undefined && databaseAddress !== undefined
      ? { adminUrl: databaseAdminUrl, address: databaseAddress }
      : undefined;
  const pods = podsOfColors(app, flat);
  const { container, http, resources, terminationGracePeriodSeconds, activeColorFile } =
    pods[flat.activeColor];
  const colorSettings = (tag: string | undefined, own: FlatSettings[Color]): ColorSettings => ({
    tag,
    env: { ...env, ...own.env },
    secretEnv: { ...secretEnv, ...own.secretEnv },
    envFromSecrets: { ...envFromSecrets, ...own.envFromSecrets },
  });
  return {
    ...rest,
    container,
    http,
    resources,
    terminationGracePeriodSeconds,
    activeColorFile,
    pod: mostOf(pods.blue.pod, pods.green.pod),
    pods,
    weights: weightsOf(flat.activeColor, canaryWeight),
    clusterIssuer: clusterIssuer === "none" ? undefined : clusterIssuer,
    colors: { blue: colorSettings(blueTag, blue), green: colorSettings(greenTag, green) },
    followers: followersOf({ workers, cronJobs, activeColorFile: flat.activeColorFile, blue, green }),
    databaseAccount,
    together: null,
  };
}

/** A variable of a color's pods that somebody's Secret has: what config gives itself is not asked of one. */
export function secretKeysOf({
  envFromSecrets,
  secretEnv,
}: ColorSettings): { variable: string; name: string; key: string }[] {
  return Object.entries(envFromSecrets).flatMap(([variable, at]) =>
    variable in secretEnv ? [] : [{ variable, ...secretKeyAt(at) }],
  );
}

/** Where a stack's app is: a cluster, and what is known there of the others. */
export type Place = Pick<Settings, "context" | "together">;

/** The clusters of a stack, in the order of config. */
export function placesOf({
  context,
  clusters: { targets: members, onFailure },
}: Pick<FlatSettings, "context" | "clusters">): Place[] {
  if (members.length === 0) return [{ context, together: null }];
  return members.map((member) => ({
    context: member.context,
    together: { name: member.name, others: members.filter((each) => each !== member), onFailure },
  }));
}
