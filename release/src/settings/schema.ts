import { z } from "zod";
import { isSecureUrl, secureUrlRule } from "../alerts/secureUrl.js";
import { colors } from "../color.js";
import { drainPortVariable, names } from "../names.js";
import { isolations } from "../homes.js";
import { field, json } from "./fields.js";
import { affinities, routeKinds, trafficModes } from "../route/route.js";
import { parseWeights } from "../route/weights.js";
import { clusterOrders, clusters, failureRules } from "./clusters.js";
import { autoscaling, networkPolicy, quota } from "./isolation.js";
import { cpuPattern, memoryPattern } from "./quantity.js";

const dnsLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const dnsName = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;
const hostPattern = /^(?=.{1,253}$)([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/;
const repositoryPattern = /^[a-z0-9]+([._:/-]+[a-z0-9]+)*$/;
const tagPattern = /^(?!latest$)[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}(@sha256:[0-9a-f]{64})?$/;
const migrationId = /^\d{4,}$/;

function integer(fallback: number, min: number, max: number, what: string) {
  return field(json(z.int().min(min).max(max).default(fallback)), { rule: `a whole number of ${what} from ${min} to ${max}`, example: String(fallback) });
}

function tag() {
  return field(z.string().regex(tagPattern).optional(), {
    rule: "an image tag: letters, digits, '_', '.', '-', at most 128, and never latest, which names another image tomorrow; after it, the digest, as v1.3.0@sha256:…",
    example: "v1.3.0",
  });
}

function cpu(fallback: string) {
  return field(json(z.coerce.string().regex(cpuPattern).default(fallback)), { rule: "CPUs, as 250m or 0.5", example: fallback });
}

function memory(fallback: string) {
  return field(z.string().regex(memoryPattern).default(fallback), { rule: "memory, with Ki, Mi or Gi", example: fallback });
}

/** Takes openaiApiKey; a color's own key is a secret variable of this name. */
export const openaiVariable = "OPENAI_API_KEY";

/** Variables that the program sets itself. */
const ownVariables = ["ENVIRONMENT", "APP_VERSION", "DATABASE_URL", "PGAPPNAME", openaiVariable, "REDIS_URL", "READ_ONLY_KEY", drainPortVariable];

function variableName(refused: string[]) {
  return z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/).refine((name) => !refused.includes(name));
}

function environment() {
  const variables = z.record(variableName(ownVariables), z.union([z.string(), z.number(), z.boolean()]).transform(String));
  return field(json(variables.default({})), {
    rule: `an object of variable names and texts, without ${ownVariables.join(", ")}, which the program sets`,
    example: `--path 'environment.LOG_LEVEL' info`,
  });
}

function secretEnvironment(key: string, refused: string[]) {
  return field(json(z.record(variableName(refused), z.string().min(1)).default({})), {
    rule: `an object of variable names and texts, none of them empty, without ${refused.join(", ")}, which the program sets`,
    // Without a value: Pulumi asks for it, and no shell remembers it.
    example: `--secret --path '${key}.NAME'`,
    secret: true,
  });
}

const ownButOpenai = ownVariables.filter((name) => name !== openaiVariable);

const seconds = z.int().min(0).max(3600);
const positive = z.int().min(1).max(3600);

function probe(initialDelaySeconds: number, periodSeconds: number, timeoutSeconds: number, failureThreshold: number) {
  const timings = z.strictObject({
    initialDelaySeconds: seconds.default(initialDelaySeconds),
    periodSeconds: positive.default(periodSeconds),
    timeoutSeconds: positive.default(timeoutSeconds),
    failureThreshold: positive.default(failureThreshold),
  });
  return field(json(timings.prefault({})), {
    rule: "an object with whole numbers of seconds: initialDelaySeconds (0 or more), periodSeconds, timeoutSeconds, and failureThreshold (each 1 or more)",
    example: `--path 'readinessProbe.periodSeconds' ${periodSeconds}`,
  });
}

/** How the two colors share their data. */
export const strategies = ["shared", "perColor", "replica"] as const;
export type Strategy = (typeof strategies)[number];

/** Whether each color has a database of its own. */
export function isSeparate(strategy: Strategy | "none"): strategy is Exclude<Strategy, "shared"> {
  return strategy === "perColor" || strategy === "replica";
}

const database = z.strictObject({
  // none: the app has no database that a release has to know of.
  strategy: z.enum([...strategies, "none"]).default("shared"),
  acceptLoss: z.boolean().default(false),
  rebuildCommand: z.array(z.string().min(1)).default([]),
  budgetSeconds: z.int().min(1).max(86_400).default(600),
});

/** Without a password, as redisUrl; a socket where Redis is on this machine. */
const fenceRedisPattern = /^(rediss?:\/\/[^\s:@/]+(:\d+)?(\/\d+)?|unix:\/\/\/[^\s@?]+)$/;

const readOnlyFence = z
  .strictObject({
    seconds: z.int().min(0).max(600).default(0),
    settleMs: z.int().min(0).max(60_000).default(1000),
    redisUrl: z.union([z.literal(""), z.string().regex(fenceRedisPattern)]).default(""),
  })
  .refine(({ seconds, settleMs }) => seconds === 0 || settleMs < seconds * 1000);

/** The app is no root, so that lower ports are closed to it. */
const appPort = z.int().min(1024).max(65_535);
const drainPort = z.union([z.literal(0), appPort]);

const httpPath = z.string().max(200).regex(/^\/[\w.~/-]*$/);

/** How the app answers inside its container. */
const http = z.strictObject({ port: appPort.default(3000), healthPath: httpPath.default("/health"), readyPath: httpPath.default("/ready") });

/** SECRET/KEY in the namespace of the pods. */
const secretKey = z.string().regex(/^[a-z0-9][-.a-z0-9]{0,252}\/[-._A-Za-z0-9]{1,253}$/);

const drain = z.strictObject({ seconds: z.int().min(0).max(3600).default(30), port: drainPort.default(3001) });

/** Without a user or a query: what they carry would be readable in the state and in the cluster. */
const plainUrl = z.union([z.literal(""), z.string().regex(/^https?:\/\/[^\s@?#/]+(\/[^\s@?#]*)?$/)]);

/** The numbers of the practice where it names some: ten minutes, every 30 s, ten points, five errors, five seconds. */
export const watchLimits = z
  .strictObject({
    seconds: z.int().min(0).max(3600).default(600),
    everySeconds: z.int().min(1).max(300).default(30),
    threshold: z.int().min(1).max(1000).default(10),
    latencySeconds: z.number().positive().max(3600).default(5),
    logErrors: z.int().min(0).max(100_000).default(5),
    standbyHours: z.int().min(24).max(48).default(24),
    prometheusUrl: plainUrl.default(""),
    prometheusQueries: z.array(z.strictObject({ name: z.string().min(1).max(100), query: z.string().min(1).max(4000), max: z.number() })).max(20).default([]),
    webhookUrl: plainUrl.default(""),
  })
  // A slow interval has three points: fewer readings than that could never end a watch of ten.
  .refine(({ seconds, everySeconds }) => seconds === 0 || seconds >= 4 * everySeconds);
const receiverUrl = z.union([z.literal(""), z.string().max(2000).refine(isSecureUrl)]).default("");

const alerts = z
  .strictObject({
    slackUrl: receiverUrl,
    webhookUrl: receiverUrl,
    webhookSecret: z.union([z.literal(""), z.string().min(16).max(1000)]).default(""),
    pagerDutyKey: z.union([z.literal(""), z.string().regex(/^[A-Za-z0-9]{32}$/)]).default(""),
  })
  .refine(({ webhookUrl, webhookSecret }) => (webhookUrl === "") === (webhookSecret === ""));

const gatewayPattern = /^[a-z0-9][-a-z0-9]{0,62}\/[a-z0-9][-.a-z0-9]{0,252}(\/[a-z0-9][-.a-z0-9]{0,252})?$/;

/** How users come in, and what of it moves. */
const traffic = z
  .strictObject({
    mode: z.enum(trafficModes).default("service"),
    route: z.enum(routeKinds).default("nginx"),
    gateway: z.union([z.literal(""), z.string().regex(gatewayPattern)]).default(""),
    internalHost: z.union([z.literal(""), z.string().regex(hostPattern)]).default(""),
    affinity: z.enum(affinities).default("none"),
  })
  .refine(({ route, gateway }) => (route === "gateway") === (gateway !== ""));

/** One text, so that one command changes both shares at once. */
const weights = z.string().transform((text, context) => parseWeights(text) ?? (context.addIssue("no weights"), z.NEVER)).optional();

/** Every setting of a stack: its type, its default, its rule. The same list, with descriptions, stands in Pulumi.yaml. */
export const shape = {
  activeColor: field(z.enum(colors), { rule: "blue or green", example: "green" }),
  blueTag: tag(),
  greenTag: tag(),
  imageRepository: field(z.string().max(255).regex(repositoryPattern), { rule: "an image repository without a tag, in lower case", example: "ghcr.io/you/chatgpt-app" }),
  replicas: integer(3, 1, 1000, "pods"),
  autoscaling: field(json(autoscaling.prefault({})), {
    rule: "an object with minReplicas (1 to 1000), maxReplicas (0, for no autoscaler, or minReplicas to 1000) and cpuPercent (1 to 1000, of cpuRequest)",
    example: "--path autoscaling.maxReplicas 10",
  }),
  quota: field(json(quota.prefault({})), {
    rule: 'an object with enabled (true or false), pods (0 to 100000; 0: computed), cpuRequests and cpuLimits (CPUs, as 4 or 500m; "": computed), memoryRequests and memoryLimits (memory, with Ki, Mi or Gi; "": computed)',
    example: "--path quota.enabled true",
  }),
  networkPolicy: field(json(networkPolicy.prefault({})), {
    rule: "an object with enabled (true or false), from (at most 20 of {namespaceLabels, podLabels}, each with at least one label), egress (any or known) and egressPorts (at most 20 port numbers)",
    example: "--path networkPolicy.egress known",
  }),
  imagePullSecrets: field(json(z.array(z.string().regex(dnsName)).max(10).default([])), {
    rule: "a list of at most 10 names of Secrets, of the type kubernetes.io/dockerconfigjson, in the namespace",
    example: "--plaintext --path 'imagePullSecrets[0]' registry-credentials",
  }),
  namespace: field(z.string().regex(dnsLabel).default("chatgpt-production"), { rule: "a Kubernetes name: lower-case letters, digits and '-', at most 63", example: "chatgpt-production" }),
  makeNamespaces: field(json(z.boolean().default(true)), { rule: "true or false", example: "false" }),
  isolation: field(z.enum(isolations).default("shared"), { rule: isolations.join(" or "), example: "namespaces" }),
  context: field(z.string().max(253).default(""), { rule: "a context of your kubeconfig", example: "production" }),
  clusters: field(json(clusters.prefault({})), {
    rule: `an object with members (at most 20 of {name, context}, no name and no context twice; a name: lower-case letters, digits and '-', at most 32; a context of your kubeconfig), order (${clusterOrders.join(", ")}) and onFailure (${failureRules.join(", ")})`,
    example: "--path 'clusters.members[0].name' eu",
  }),
  host: field(z.string().regex(hostPattern), { rule: "a host name with a domain, in lower case", example: "app.example.com" }),
  traffic: field(json(traffic.prefault({})), {
    rule: `an object with mode (${trafficModes.join(", ")}), route (${routeKinds.join(", ")}), gateway (NAMESPACE/NAME or NAMESPACE/NAME/LISTENER, with route gateway and only then), internalHost (a host name, or "") and affinity (${affinities.join(", ")})`,
    example: "--path traffic.mode route",
  }),
  weights: field(weights, { rule: "blue=PERCENT,green=PERCENT, whole numbers that add up to 100", example: "blue=90,green=10" }),
  shareSeconds: integer(60, 0, 3600, "seconds"),
  ingressClass: field(z.string().regex(dnsLabel).optional(), { rule: "the name of an IngressClass", example: "nginx" }),
  clusterIssuer: field(z.string().regex(dnsLabel).default("letsencrypt-prod"), { rule: "the name of a cert-manager ClusterIssuer, or none", example: "letsencrypt-prod" }),
  redisUrl: field(z.string().regex(/^rediss?:\/\/[^\s:@/]+(:\d+)?(\/\d+)?$/).default("redis://redis:6379"), {
    rule: "redis://HOST:PORT or rediss://HOST:PORT, without a password: it would be readable in the Deployment",
    example: "redis://redis:6379",
    // A wrong one may carry a password.
    secret: true,
  }),
  environment: environment(),
  blueEnvironment: environment(),
  greenEnvironment: environment(),
  secretEnvironment: secretEnvironment("secretEnvironment", ownVariables),
  blueSecretEnvironment: secretEnvironment("blueSecretEnvironment", ownButOpenai),
  greenSecretEnvironment: secretEnvironment("greenSecretEnvironment", ownButOpenai),
  secretVariables: field(json(z.record(variableName(ownButOpenai), secretKey).default({ [openaiVariable]: `${names.openaiSecret}/api-key` })), {
    rule: `an object of variable names and SECRET/KEY, without ${ownButOpenai.join(", ")}, which the program sets`,
    example: "--path secretVariables.API_KEY api-credentials/key",
  }),
  http: field(json(http.prefault({})), {
    rule: "an object with port (1024 to 65535), healthPath and readyPath (paths, without a query)",
    example: "--path http.port 8080",
  }),
  cpuRequest: cpu("250m"),
  cpuLimit: cpu("500m"),
  memoryRequest: memory("256Mi"),
  memoryLimit: memory("512Mi"),
  livenessProbe: probe(30, 10, 5, 3),
  readinessProbe: probe(10, 5, 3, 2),
  minReadySeconds: integer(5, 0, 3600, "seconds"),
  drainSeconds: integer(5, 0, 300, "seconds"),
  terminationGraceSeconds: integer(30, 1, 3600, "seconds"),
  rolloutBudgetSeconds: integer(300, 1, 3600, "seconds"),
  smokeBudgetSeconds: integer(300, 1, 3600, "seconds"),
  smokeSuite: field(z.string().min(1).default("tests/smoke/**/*.ts"), { rule: "a glob of mocha test files, relative to the program", example: "tests/smoke/**/*.ts" }),
  migrationsFolder: field(z.string().regex(/^[\w.-]+(\/[\w.-]+)*$/).default("migrations"), { rule: "a folder below the program's, as PATH/TO/FOLDER", example: "migrations" }),
  schemaVersion: field(z.string().regex(migrationId).optional(), { rule: "the id of the newest migration wanted, four digits or more", example: "0002" }),
  contractVersion: field(z.string().regex(migrationId).optional(), { rule: "the id of the newest contract migration wanted, four digits or more", example: "0005" }),
  contractAfterHours: integer(24, 24, 48, "hours"),
  watch: field(json(watchLimits.prefault({})), {
    rule: "an object with seconds (0 to 3600; 0: not watched by the update), everySeconds (1 to 300, and at most a quarter of the seconds), threshold (1 to 1000), latencySeconds (up to 3600), logErrors (0 to 100000), standbyHours (24 to 48), prometheusUrl, prometheusQueries (at most 20 of {name, query, max}) and webhookUrl; URLs http(s)://HOST/PATH without a user, a password or a query",
    example: "--path watch.seconds 60",
    // A wrong URL may carry a password.
    secret: true,
  }),
  watcherImage: field(z.string().max(512).regex(/^\S+[:@]\S+$/).optional(), { rule: "an image with a tag or a digest", example: "ghcr.io/you/bluegreen-watcher:0.1.0" }),
  alerts: field(json(alerts.prefault({})), {
    rule: `an object with slackUrl and webhookUrl (each ${secureUrlRule}), webhookSecret (16 characters or more; with webhookUrl, and only then) and pagerDutyKey (the 32 letters and digits of an Events API v2 integration)`,
    example: "--path alerts.slackUrl --secret",
    secret: true,
  }),
  lockWaitSeconds: integer(60, 0, 3600, "seconds"),
  allowLiveChange: field(json(z.boolean().default(false)), { rule: "true or false", example: "false" }),
  allowDelete: field(json(z.boolean().default(false)), { rule: "true or false", example: "false" }),
  readOnlyFence: field(json(readOnlyFence.prefault({})), {
    rule: "an object with seconds (0 to 600; 0: no fence), settleMs (0 to 60000, and less than the seconds) and redisUrl (redis://HOST:PORT, rediss://HOST:PORT or unix:///PATH, without a password)",
    example: "--path readOnlyFence.seconds 30",
    // A wrong URL may carry a password.
    secret: true,
  }),
  drain: field(json(drain.prefault({})), {
    rule: `an object with seconds (0 to 3600; 0: nobody waits) and port (1024 to 65535, not that of http; 0: pods have none)`,
    example: "--path drain.seconds 30",
  }),
  database: field(json(database.prefault({})), {
    rule: `an object with strategy (${strategies.join(", ")}, none), acceptLoss (true or false), rebuildCommand (a list of words) and budgetSeconds (1 to 86400)`,
    example: "--path database.strategy shared",
  }),
  databaseAdminUrl: field(z.string().regex(/^postgres(ql)?:\/\/\S+$/).optional(), { rule: "a PostgreSQL URL of a role that may create roles and databases", example: "--secret postgres://admin@db.example.com/postgres", secret: true }),
  databaseAddress: field(z.string().regex(/^[^\s/@:]+:\d{1,5}$/).optional(), { rule: "HOST:PORT of the database as pods see it", example: "db.example.com:5432" }),
  openaiApiKey: field(z.string().min(1).optional(), { rule: "a text", example: "--secret sk-…", secret: true }),
};

export type FlatSettings = { [K in keyof typeof shape]: z.output<(typeof shape)[K]> };
