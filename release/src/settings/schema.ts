import { z } from "zod";
import { isSecureUrl, secureUrlRule } from "../alerts/secureUrl.js";
import { colors } from "../color.js";
import { drainPortVariable, names } from "../names.js";
import { isolations } from "../homes.js";
import { field, json, mapField, objectField, objectOf, part, type Readable } from "./fields.js";
import { dnsLabel, dnsSubdomain, httpPath, isAddress, isGateway, isHostName, isPlainUrl, isPostgresUrl, isRedisUrl, isSecretKey, leadsOut, variable } from "./forms.js";
import { isImage, isRepository, tagPattern } from "./images.js";
import { affinities, routeKinds, trafficModes } from "../route/route.js";
import { parseWeights } from "../route/weights.js";
import { clusters, contextName } from "./clusters.js";
import { autoscaling, networkPolicy, quota } from "./isolation.js";
import { cpuPattern, cpuRule, memoryPattern, memoryRule } from "./quantity.js";

const migrationId = /^\d{4,}$/;

/** Where settings end that are no secrets. An encrypted one among them is refused. */
const deployment: Readable = { place: "the Deployments of the colors" };
const wayIn: Readable = { place: "the objects that users come in by" };
const state: Readable = { place: "the stack's state" };
const objectNames: Readable = { place: "names of objects" };

function integer(fallback: number, min: number, max: number, what: string, ends: Readable) {
  return field(json(z.int().min(min).max(max).default(fallback)), { rule: `a whole number of ${what} from ${min} to ${max}`, example: String(fallback), ends });
}

function flag(fallback: boolean) {
  return field(json(z.boolean().default(fallback)), { rule: "true or false", example: "false", ends: state });
}

function tag() {
  return field(z.string().regex(tagPattern).optional(), {
    rule: "an image tag: letters, digits, '_', '.', '-', at most 128, and never latest, which names another image tomorrow; after it, the digest, as v1.3.0@sha256:…",
    example: "v1.3.0",
    ends: deployment,
  });
}

function cpu(fallback: string) {
  return field(json(z.coerce.string().regex(cpuPattern).default(fallback)), { rule: cpuRule, example: fallback, ends: deployment });
}

function memory(fallback: string) {
  return field(z.string().regex(memoryPattern).default(fallback), { rule: memoryRule, example: fallback, ends: deployment });
}

/** Takes openaiApiKey; a color's own key is a secret variable of this name. */
export const openaiVariable = "OPENAI_API_KEY";

/** Variables that the program sets itself. */
const ownVariables = ["ENVIRONMENT", "APP_VERSION", "DATABASE_URL", "PGAPPNAME", openaiVariable, "REDIS_URL", "READ_ONLY_KEY", drainPortVariable];

function variableName(refused: string[]) {
  return z.string().regex(variable).refine((name) => !refused.includes(name));
}

/** What a container can be told: no text with a zero byte in it. */
const variableText = z.string().regex(/^[^\0]*$/);
const numberRule = "a number is whole and at most 15 digits long, or in quotes (pulumi config set --path --type string …), or it would change";

function environment(instead: string) {
  const text = z.union([variableText, z.boolean().transform(String), z.int().transform(String)]);
  return mapField(z.record(variableName(ownVariables), text).default({}), {
    rule: `an object of variable names and texts, without ${ownVariables.join(", ")}, which the program sets; ${numberRule}`,
    example: `--path 'environment.LOG_LEVEL' info`,
    ends: { place: "a ConfigMap of each color", instead },
  });
}

function secretEnvironment(key: string, refused: string[]) {
  return mapField(z.record(variableName(refused), variableText.min(1)).default({}), {
    rule: `an object of variable names and texts, none of them empty, without ${refused.join(", ")}, which the program sets`,
    // Without a value: Pulumi asks for it, and no shell remembers it.
    example: `--secret --path '${key}.NAME'`,
    ends: "secret",
  });
}

const ownButOpenai = ownVariables.filter((name) => name !== openaiVariable);

const seconds = z.int().min(0).max(3600);
const positive = z.int().min(1).max(3600);

function probe(name: string, initialDelaySeconds: number, periodSeconds: number, timeoutSeconds: number, failureThreshold: number) {
  const timings = objectOf({
    initialDelaySeconds: part(seconds.default(initialDelaySeconds), "0 to 3600"),
    periodSeconds: part(positive.default(periodSeconds), "1 to 3600"),
    timeoutSeconds: part(positive.default(timeoutSeconds), "1 to 3600"),
    failureThreshold: part(positive.default(failureThreshold), "1 to 3600"),
  });
  return objectField(timings, { example: `--path '${name}.periodSeconds' ${periodSeconds}`, ends: deployment });
}

/** How the two colors share their data. */
export const strategies = ["shared", "perColor", "replica"] as const;
export type Strategy = (typeof strategies)[number];

/** Whether each color has a database of its own. */
export function isSeparate(strategy: Strategy | "none"): strategy is Exclude<Strategy, "shared"> {
  return strategy === "perColor" || strategy === "replica";
}

const database = objectOf({
  // none: the app has no database that a release has to know of.
  strategy: part(z.enum([...strategies, "none"]).default("shared"), [...strategies, "none"].join(", ")),
  acceptLoss: part(z.boolean().default(false), "true or false"),
  rebuildCommand: part(z.array(z.string().min(1)).default([]), "a list of words, none of them empty"),
  rebuildTimeoutSeconds: part(z.int().min(1).max(86_400).default(3600), "1 to 86400"),
  budgetSeconds: part(z.int().min(1).max(86_400).default(600), "1 to 86400"),
});

const readOnlyFence = objectOf(
  {
    seconds: part(z.int().min(0).max(600).default(0), "0 to 600; 0: no fence"),
    settleMs: part(z.int().min(0).max(60_000).default(1000), "0 to 60000, and less than the seconds"),
    // A socket where Redis is on this machine.
    redisUrl: part(z.string().refine((text) => text === "" || isRedisUrl(text) || /^unix:\/\/\/[^\s@?]+$/.test(text)).default(""), "redis://HOST:PORT, rediss://HOST:PORT or unix:///PATH, without a password"),
  },
  [({ seconds: fenced, settleMs }) => fenced === 0 || settleMs < fenced * 1000, "settleMs less than the seconds"],
);

/** The app is no root, so that lower ports are closed to it. */
const appPort = z.int().min(1024).max(65_535);
const drainPort = z.union([z.literal(0), appPort]);

/** How the app answers inside its container. */
const http = objectOf({
  port: part(appPort.default(3000), "1024 to 65535"),
  healthPath: part(z.string().max(200).regex(httpPath).default("/health"), "a path, without a query"),
  readyPath: part(z.string().max(200).regex(httpPath).default("/ready"), "a path, without a query"),
});

const drain = objectOf({
  seconds: part(z.int().min(0).max(3600).default(30), "0 to 3600; 0: nobody waits"),
  port: part(drainPort.default(3001), "1024 to 65535, not that of http; 0: pods have none"),
});

const plainUrl = part(z.string().refine((text) => text === "" || isPlainUrl(text)).default(""), "http(s)://HOST/PATH without a user, a password or a query");

/** The numbers of the practice where it names some: ten minutes, every 30 s, ten points, five errors, five seconds. */
export const watchLimits = objectOf(
  {
    seconds: part(z.int().min(0).max(3600).default(600), "0 to 3600; 0: not watched by the update"),
    everySeconds: part(z.int().min(1).max(300).default(30), "1 to 300, and at most a quarter of the seconds"),
    threshold: part(z.int().min(1).max(1000).default(10), "1 to 1000"),
    latencySeconds: part(z.number().positive().max(3600).default(5), "more than 0, up to 3600"),
    logErrors: part(z.int().min(0).max(100_000).default(5), "0 to 100000"),
    standbyHours: part(z.int().min(24).max(48).default(24), "24 to 48"),
    prometheusUrl: plainUrl,
    prometheusQueries: part(z.array(z.strictObject({ name: z.string().min(1).max(100), query: z.string().min(1).max(4000), max: z.number() })).max(20).default([]), "at most 20 of {name, query, max}"),
    webhookUrl: plainUrl,
  },
  // A slow interval has three points: fewer readings than that could never end a watch of ten.
  [({ seconds: watched, everySeconds }) => watched === 0 || watched >= 4 * everySeconds, "everySeconds at most a quarter of the seconds"],
);

const receiverUrl = part(z.string().max(2000).refine((text) => text === "" || isSecureUrl(text)).default(""), secureUrlRule);

const alerts = objectOf(
  {
    slackUrl: receiverUrl,
    webhookUrl: receiverUrl,
    webhookSecret: part(z.union([z.literal(""), z.string().min(16).max(1000)]).default(""), "16 characters or more; with webhookUrl, and only then"),
    pagerDutyKey: part(z.string().regex(/^([A-Za-z0-9]{32})?$/).default(""), "the 32 letters and digits of an Events API v2 integration"),
  },
  [({ webhookUrl, webhookSecret }) => (webhookUrl === "") === (webhookSecret === ""), "webhookSecret with webhookUrl, and only then"],
);

/** How users come in, and what of it moves. */
const traffic = objectOf(
  {
    mode: part(z.enum(trafficModes).default("service"), trafficModes.join(" or ")),
    route: part(z.enum(routeKinds).default("nginx"), routeKinds.join(", ")),
    gateway: part(z.string().refine((text) => text === "" || isGateway(text)).default(""), "NAMESPACE/NAME or NAMESPACE/NAME/LISTENER, with route gateway and only then"),
    internalHost: part(z.string().refine((text) => text === "" || isHostName(text)).default(""), 'a host name in lower case, no address and not that of host, or ""'),
    affinity: part(z.enum(affinities).default("none"), affinities.join(", ")),
  },
  [({ route, gateway }) => (route === "gateway") === (gateway !== ""), "gateway with route gateway and only then"],
);

/** One text, so that one command changes both shares at once. */
const weights = z.string().transform((text, context) => parseWeights(text) ?? (context.addIssue("no weights"), z.NEVER)).optional();

/** Every setting of a stack: its type, its default, its rule, and where it ends. The same list, with descriptions, stands in Pulumi.yaml. */
export const shape = {
  activeColor: field(z.enum(colors), { rule: "blue or green", example: "green", ends: { place: "the selector of the active Service" } }),
  blueTag: tag(),
  greenTag: tag(),
  imageRepository: field(z.string().refine(isRepository), { rule: "an image repository without a tag, in lower case, at most 255 characters", example: "ghcr.io/you/chatgpt-app", ends: deployment }),
  replicas: integer(3, 1, 1000, "pods", deployment),
  autoscaling: objectField(autoscaling, { example: "--path autoscaling.maxReplicas 10", ends: { place: "HorizontalPodAutoscalers" } }),
  quota: objectField(quota, { example: "--path quota.enabled true", ends: { place: "a ResourceQuota" } }),
  networkPolicy: objectField(networkPolicy, { example: "--path networkPolicy.egress known", ends: { place: "NetworkPolicies" } }),
  imagePullSecrets: field(json(z.array(z.string().regex(dnsSubdomain)).max(10).default([])), {
    rule: "a list of at most 10 names of Secrets, of the type kubernetes.io/dockerconfigjson, in the namespace",
    example: "--plaintext --path 'imagePullSecrets[0]' registry-credentials",
    ends: { place: "ServiceAccounts" },
    parts: {},
  }),
  namespace: field(z.string().regex(dnsLabel).default("chatgpt-production"), { rule: "a Kubernetes name: lower-case letters, digits and '-', at most 63", example: "chatgpt-production", ends: objectNames }),
  makeNamespaces: flag(true),
  isolation: field(z.enum(isolations).default("shared"), { rule: isolations.join(" or "), example: "namespaces", ends: objectNames }),
  context: field(contextName.default(""), { rule: "a context of your kubeconfig", example: "production", ends: state }),
  clusters: objectField(clusters, { example: "--path 'clusters.members[0].name' eu", ends: { place: "ConfigMaps of the clusters" } }),
  host: field(z.string().refine(isHostName), { rule: "a host name, in lower case, and no address", example: "app.example.com", ends: wayIn }),
  traffic: objectField(traffic, { example: "--path traffic.mode route", ends: wayIn }),
  weights: field(weights, { rule: "blue=PERCENT,green=PERCENT, whole numbers that add up to 100", example: "blue=90,green=10", ends: wayIn }),
  shareSeconds: integer(60, 0, 3600, "seconds", state),
  ingressClass: field(z.string().regex(dnsSubdomain).optional(), { rule: "the name of an IngressClass", example: "nginx", ends: wayIn }),
  clusterIssuer: field(z.string().regex(dnsSubdomain).default("letsencrypt-prod"), { rule: "the name of a cert-manager ClusterIssuer, or none", example: "letsencrypt-prod", ends: wayIn }),
  redisUrl: field(z.string().refine(isRedisUrl).default("redis://redis:6379"), {
    rule: "redis://HOST:PORT or rediss://HOST:PORT, an IPv6 address in brackets, without a password: it would be readable in the Deployment",
    example: "redis://redis:6379",
    ends: deployment,
    hidden: true,
  }),
  environment: environment("secretEnvironment"),
  blueEnvironment: environment("blueSecretEnvironment"),
  greenEnvironment: environment("greenSecretEnvironment"),
  secretEnvironment: secretEnvironment("secretEnvironment", ownVariables),
  blueSecretEnvironment: secretEnvironment("blueSecretEnvironment", ownButOpenai),
  greenSecretEnvironment: secretEnvironment("greenSecretEnvironment", ownButOpenai),
  secretVariables: mapField(z.record(variableName(ownButOpenai), z.string().refine(isSecretKey)).default({ [openaiVariable]: `${names.openaiSecret}/api-key` }), {
    rule: `an object of variable names and SECRET/KEY, without ${ownButOpenai.join(", ")}, which the program sets`,
    example: "--path secretVariables.API_KEY api-credentials/key",
    ends: deployment,
  }),
  http: objectField(http, { example: "--path http.port 8080", ends: deployment }),
  cpuRequest: cpu("250m"),
  cpuLimit: cpu("500m"),
  memoryRequest: memory("256Mi"),
  memoryLimit: memory("512Mi"),
  livenessProbe: probe("livenessProbe", 30, 10, 5, 3),
  readinessProbe: probe("readinessProbe", 10, 5, 3, 2),
  // A Deployment has ten minutes to be ready, and Kubernetes wants that to be longer.
  minReadySeconds: integer(5, 0, 599, "seconds", deployment),
  drainSeconds: integer(5, 0, 300, "seconds", deployment),
  terminationGraceSeconds: integer(30, 1, 3600, "seconds", deployment),
  rolloutBudgetSeconds: integer(300, 1, 3600, "seconds", state),
  smokeBudgetSeconds: integer(300, 1, 3600, "seconds", state),
  smokeSuite: field(z.string().min(1).regex(/^\P{Cc}+$/u).refine((glob) => !leadsOut(glob)).default("tests/smoke/**/*.ts"), { rule: "a glob of mocha test files below the program's folder", example: "tests/smoke/**/*.ts", ends: state }),
  migrationsFolder: field(z.string().regex(/^[\w.-]+(\/[\w.-]+)*$/).refine((folder) => !leadsOut(folder)).default("migrations"), { rule: "a folder below the program's, as PATH/TO/FOLDER", example: "migrations", ends: state }),
  schemaVersion: field(z.string().regex(migrationId).optional(), { rule: "the id of the newest migration wanted, four digits or more", example: "0002", ends: state }),
  contractVersion: field(z.string().regex(migrationId).optional(), { rule: "the id of the newest contract migration wanted, four digits or more", example: "0005", ends: state }),
  contractAfterHours: integer(24, 24, 48, "hours", state),
  watch: objectField(watchLimits, { example: "--path watch.seconds 60", ends: { place: "the watcher's Deployment and the stack's state" } }),
  watcherImage: field(z.string().max(512).refine(isImage).optional(), { rule: "an image with a digest, or a tag that is not latest", example: "ghcr.io/you/bluegreen-watcher:0.1.0", ends: deployment }),
  alerts: objectField(alerts, { example: "--path alerts.slackUrl --secret", ends: "secret" }),
  lockWaitSeconds: integer(60, 0, 3600, "seconds", state),
  allowLiveChange: flag(false),
  allowDelete: flag(false),
  readOnlyFence: objectField(readOnlyFence, { example: "--path readOnlyFence.seconds 30", ends: "secret" }),
  drain: objectField(drain, { example: "--path drain.seconds 30", ends: deployment }),
  database: objectField(database, { example: "--path database.strategy shared", ends: { place: "the watcher's Deployment and the stack's state" } }),
  databaseAdminUrl: field(z.string().refine(isPostgresUrl).optional(), {
    rule: "a PostgreSQL URL of a role that may create roles and databases; what is no letter or digit of its password by its number, / as %2F and @ as %40",
    example: "--secret postgres://admin@db.example.com/postgres",
    ends: "secret",
  }),
  databaseAddress: field(z.string().refine(isAddress).optional(), { rule: "HOST:PORT of the database as pods see it, an IPv6 address in brackets", example: "db.example.com:5432", ends: { place: "a NetworkPolicy, by its port" }, hidden: true }),
  openaiApiKey: field(z.string().min(1).optional(), { rule: "a text", example: "--secret sk-…", ends: "secret" }),
};

export type FlatSettings = { [K in keyof typeof shape]: z.output<(typeof shape)[K]> };
