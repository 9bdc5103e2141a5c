import { z } from "zod";
import { errorStatusDefault } from "../analysis/requestMetrics.js";
import { requestSources } from "../analysis/limits.js";
import { isSecureUrl, secureUrlRule } from "../util/secureUrl.js";
import { colors, type Color } from "../app/color.js";
import { asWritten, field, json, mapField, objectField, objectOf, part, type Readable } from "./fields.js";
import {
  dnsLabel,
  dnsSubdomain,
  httpPath,
  isAddress,
  isGateway,
  isHostName,
  isPlainUrl,
  isPostgresUrl,
  isRedisUrl,
  isSecretKey,
  labelKey,
  leadsOut,
  variable,
} from "./forms.js";
import { isImage, isRepository, tagPattern } from "./images.js";
import { affinities, trafficStrategies } from "../routers/router.js";
import { routerNames, routers, whichCan } from "../routers/routers.js";
import { clusters, contextName } from "./clusters.js";
import { annotations, annotationsRule, ingress, labels, labelsRule, service } from "./aroundPods.js";
import { gates, gatesRule, words, wordsRule } from "./gates.js";
import { autoscaling, networkPolicy, quota } from "./isolation.js";
import { podTemplateRule, podTemplateSchema } from "./podTemplate/podTemplateSchema.js";
import { cpuPattern, cpuRule, memoryPattern, memoryRule, quantity } from "./quantity.js";
import { cronJobs, cronJobsRule } from "./cronJobs.js";
import { workers, workersRule } from "./workers.js";

const migrationId = /^\d{4,}$/;

/** Where settings end that are no secrets. An encrypted one among them is refused. */
const deployment: Readable = { place: "the Deployments of the colors" };
const wayIn: Readable = { place: "the objects of the ingress" };
const state: Readable = { place: "the stack's state" };
const objectNames: Readable = { place: "names of objects" };

function integer(
  fallback: number,
  min: number,
  max: number,
  unit: string,
  ends: Readable,
  description: string,
) {
  return field(json(z.int().min(min).max(max).default(fallback)), {
    description,
    unit,
    rule: `a whole number of ${unit} from ${min} to ${max}`,
    example: String(fallback),
    ends,
  });
}

function flag(fallback: boolean, description: string) {
  return field(json(z.boolean().default(fallback)), {
    description,
    rule: "true or false",
    example: "false",
    ends: state,
  });
}

function tag(description: string) {
  return field(z.string().regex(tagPattern).optional(), {
    description,
    rule: "an image tag: letters, digits, '_', '.', '-', at most 128, and never latest, which names another image tomorrow; after it, the digest, as v1.3.0@sha256:…",
    example: "v1.3.0",
    ends: deployment,
  });
}

const cpu = z.coerce.string().regex(cpuPattern);
const memory = z.string().regex(memoryPattern);
const quantities = `cpu (${cpuRule}) and memory (${memoryRule})`;

/** As in a container: what limits does not name has no limit. */
const resources = objectOf(
  {
    requests: part(
      z.strictObject({ cpu: cpu.default("250m"), memory: memory.default("256Mi") }).prefault({}),
      quantities,
    ),
    limits: part(
      z
        .strictObject({ cpu: cpu.exactOptional(), memory: memory.exactOptional() })
        .default({ cpu: "500m", memory: "512Mi" }),
      quantities,
    ),
  },
  [isWithin("cpu"), "requests.cpu at most limits.cpu"],
  [isWithin("memory"), "requests.memory at most limits.memory"],
);

function isWithin(name: "cpu" | "memory") {
  return ({
    requests,
    limits,
  }: {
    requests: Record<typeof name, string>;
    limits: { [N in typeof name]?: string };
  }) => {
    const limit = limits[name];
    return limit === undefined || quantity(requests[name]) <= quantity(limit);
  };
}

const variableName = z.string().regex(variable);

/** What a container can be told: no text with a zero byte in it. */
const variableText = z.string().regex(/^[^\0]*$/);

const env = z
  .record(variableName, z.union([variableText, z.boolean().transform(String), z.int().transform(String)]))
  .default({});
const envRule = `an object of variable names and texts; a number is whole and at most 15 digits long, or in quotes (pulumi config set --path --type=string …), or it would change`;

const secretEnv = z.record(variableName, variableText.min(1)).default({});
const secretEnvRule = `an object of variable names and texts, none of them empty`;

const envFromSecrets = z.record(variableName, z.string().refine(isSecretKey));
const envFromSecretsRule = `an object of variable names and SECRET/KEY`;

const podTemplateFile = z
  .string()
  .regex(/^[\w.-]+(\/[\w.-]+)*\.(ya?ml|json)$/)
  .refine((file) => !leadsOut(file));
const podTemplateFileRule = "a .yaml, .yml or .json file below the program's folder";

/** The variables and the template of one color. They win over those of both. */
function colorSettings(color: Color) {
  const own = objectOf({
    env: part(env, envRule),
    secretEnv: part(secretEnv, secretEnvRule),
    envFromSecrets: part(envFromSecrets.default({}), envFromSecretsRule),
    podTemplate: part(podTemplateSchema.prefault({}), podTemplateRule),
    podTemplateFile: part(podTemplateFile.optional(), podTemplateFileRule),
    workers: part(workers.optional(), workersRule),
    cronJobs: part(cronJobs.optional(), cronJobsRule),
    activeColorFile: part(z.boolean().optional(), "true or false"),
  });
  return objectField(
    own,
    {
      description: `What is ${color}'s alone: env, secretEnv (each value secret), envFromSecrets and podTemplate as for both, over those, podTemplateFile and activeColorFile instead of that of both, and workers and cronJobs, of which one replaces that of both with its name.`,
      example: `--path '${color}.env.LOG_LEVEL' info`,
      ends: { place: "a ConfigMap of the color", instead: `${color}.secretEnv` },
    },
    asWritten,
  );
}

const seconds = z.int().min(0).max(3600);
const positive = z.int().min(1).max(3600);

function probe(
  name: string,
  initialDelaySeconds: number,
  periodSeconds: number,
  timeoutSeconds: number,
  failureThreshold: number,
  description: string,
) {
  const timings = objectOf({
    initialDelaySeconds: part(seconds.default(initialDelaySeconds), "0 to 3600"),
    periodSeconds: part(positive.default(periodSeconds), "1 to 3600"),
    timeoutSeconds: part(positive.default(timeoutSeconds), "1 to 3600"),
    failureThreshold: part(positive.default(failureThreshold), "1 to 3600"),
  });
  return objectField(timings, {
    description,
    example: `--path '${name}.periodSeconds' ${periodSeconds}`,
    ends: deployment,
  });
}

/** How the two colors share their data. */
export const strategies = ["shared", "logicalReplication", "streamingReplica"] as const;
export type Strategy = (typeof strategies)[number];

/** The strategies in which each color has a database of its own. */
export type SeparateStrategy = Exclude<Strategy, "shared">;

export function isSeparate(strategy: Strategy | "none"): strategy is SeparateStrategy {
  return strategy === "logicalReplication" || strategy === "streamingReplica";
}

const database = objectOf({
  // none: the app has no database that a release has to know of.
  strategy: part(z.enum([...strategies, "none"]).default("shared"), [...strategies, "none"].join(", ")),
  runIn: part(z.enum(["update", "cluster"]).default("update"), "update, cluster"),
  allowDataLoss: part(z.boolean().default(false), "true or false"),
  rebuildCommand: part(z.array(z.string().min(1)).default([]), "a list of words, none of them empty"),
  rebuildTimeoutSeconds: part(z.int().min(1).max(86_400).default(3600), "1 to 86400"),
  timeoutSeconds: part(z.int().min(1).max(86_400).default(600), "1 to 86400"),
});

const migrations = objectOf({
  command: part(words.default([]), wordsRule),
  timeoutSeconds: part(z.int().min(1).max(86_400).default(600), "1 to 86400"),
});

const writeFreeze = objectOf(
  {
    maxSeconds: part(z.int().min(0).max(600).default(0), "0 to 600; 0: no freeze"),
    gracePeriodMs: part(z.int().min(0).max(60_000).default(1000), "0 to 60000, and less than maxSeconds"),
    // A socket where Redis is on this machine.
    redisUrl: part(
      z
        .string()
        .refine((text) => text === "" || isRedisUrl(text) || /^unix:\/\/\/[^\s@?]+$/.test(text))
        .default(""),
      "redis://HOST:PORT, rediss://HOST:PORT or unix:///PATH, without a password",
    ),
  },
  [
    ({ maxSeconds, gracePeriodMs }) => maxSeconds === 0 || gracePeriodMs < maxSeconds * 1000,
    "gracePeriodMs less than maxSeconds",
  ],
  [({ maxSeconds, redisUrl }) => maxSeconds === 0 || redisUrl !== "", "redisUrl with maxSeconds"],
);

const port = z.int().min(1).max(65_535);
const drainPort = z.union([z.literal(0), z.int().min(1024).max(65_535)]);

/** How the app answers inside its container. */
const http = objectOf({
  port: part(port.exactOptional(), "1 to 65535; not set, the port of podTemplate, or 3000"),
  livenessPath: part(z.string().max(200).regex(httpPath).default("/health"), "a path, without a query"),
  readinessPath: part(z.string().max(200).regex(httpPath).default("/ready"), "a path, without a query"),
});

/** Whom pods run as. */
const serviceAccount = objectOf(
  {
    name: part(
      z.union([z.literal(""), z.string().regex(dnsSubdomain)]).default(""),
      "the name of a ServiceAccount",
    ),
    annotations: part(
      z.record(z.string().regex(labelKey), z.string()).default({}),
      "keys and texts, without name",
    ),
  },
  [
    ({ name, annotations }) => name === "" || Object.keys(annotations).length === 0,
    "no annotations with name: an account of yours has its own",
  ],
);

const connectionDrain = objectOf({
  timeoutSeconds: part(z.int().min(0).max(3600).default(30), "0 to 3600; 0: nobody waits"),
  port: part(drainPort.default(3001), "1024 to 65535, not that of http; 0: pods have none"),
});

/** What the gate itself tells the smoke tests. */
const suiteVariables = ["BASE_URL", "EXPECT_COLOR", "EXPECT_VERSION"];

const plainUrl = part(
  z
    .string()
    .refine((text) => text === "" || isPlainUrl(text))
    .default(""),
  "http(s)://HOST/PATH without a user, a password or a query",
);

const isSampledRule = "intervalSeconds at most a quarter of durationSeconds";
/** A slow interval has three points: fewer samples than that could never end an analysis of ten. */
function isSampled({
  durationSeconds,
  intervalSeconds,
}: {
  durationSeconds: number;
  intervalSeconds: number;
}) {
  return durationSeconds === 0 || durationSeconds >= 4 * intervalSeconds;
}

const metricName = z
  .string()
  .max(200)
  .regex(/^([A-Za-z_:][\w:]*)?$/)
  .default("");
const metricNameRule = 'a name of Prometheus; "": as known libraries have it';

function isPattern(text: string): boolean {
  try {
    return new RegExp(`^(?:${text})$`).source !== "";
  } catch {
    return false;
  }
}

/** Where an app's metrics are, and how it names what the analysis needs of them. */
const metricsParts = {
  path: part(
    z
      .string()
      .max(200)
      .regex(/^\/[^\s#]*$/)
      .default("/metrics"),
    "a path",
  ),
  port: part(
    z.union([z.literal(0), z.int().min(1).max(65_535)]).default(0),
    "1 to 65535; 0: the port of http",
  ),
  name: part(metricName, metricNameRule),
  statusLabel: part(metricName, metricNameRule),
  errorStatus: part(
    z.string().min(1).max(200).refine(isPattern).default(errorStatusDefault),
    "a regular expression of the whole value",
  ),
  pathLabel: part(metricName, metricNameRule),
};

/**
 * The numbers of the practice where it names some: ten minutes, every 30 s, ten points, five errors, five
 * seconds.
 */
const analysisParts = {
  durationSeconds: part(z.int().min(0).max(3600).default(600), "0 to 3600; 0: no analysis by the update"),
  intervalSeconds: part(
    z.int().min(1).max(300).default(30),
    "1 to 300, and at most a quarter of durationSeconds",
  ),
  failureThreshold: part(z.int().min(1).max(1000).default(10), "1 to 1000"),
  latencySeconds: part(z.number().positive().max(3600).default(5), "more than 0, up to 3600"),
  slowerThanBefore: part(z.enum(["report", "count"]).default("report"), "report or count"),
  logErrors: part(z.int().min(0).max(100_000).default(5), "0 to 100000"),
  maxErrorPercent: part(
    z.number().min(0).max(100).default(0),
    "0 to 100; 0: no fixed limit, but a comparison with the errors of before",
  ),
  noData: part(z.enum(["continue", "fail", "router"]).default("continue"), "continue, fail or router"),
  requestsFrom: part(z.enum(requestSources).default("pods"), requestSources.join(", ")),
  routerMetricsUrl: plainUrl,
  prometheusUrl: plainUrl,
  prometheusQueries: part(
    z
      .array(
        z
          .strictObject({
            name: z.string().min(1).max(100),
            query: z.string().min(1).max(4000),
            max: z.number().exactOptional(),
            min: z.number().exactOptional(),
            maxTimes: z.number().positive().exactOptional(),
            comparedWith: z.enum(["before", "idle"]).default("before"),
            whenNoData: z.enum(["continue", "fail"]).default("continue"),
          })
          .refine(({ max, min, maxTimes }) => [max, min, maxTimes].some((limit) => limit !== undefined)),
      )
      .max(20)
      .refine((queries) => new Set(queries.map(({ name }) => name)).size === queries.length)
      .default([]),
    "at most 20 of {name, query, max, min, maxTimes, comparedWith, whenNoData}, each with a name of its own and at least one of max, min and maxTimes",
  ),
  webhookUrl: plainUrl,
};

/** What a version is measured by, and which requests are nobody's (limitsOf). */
export const analysisLimits = objectOf(
  {
    ...analysisParts,
    metrics: part(
      objectOf({ ...metricsParts, ownPaths: part(z.array(z.string()).default([]), "paths") }).prefault({}),
      "the metrics of the app",
    ),
    series: part(
      z
        .strictObject({
          name: z.string(),
          unit: z.number().exactOptional(),
          counter: z.string().exactOptional(),
          statusLabel: z.string(),
          labels: z.record(z.enum(colors), z.record(z.string(), z.string())),
        })
        .nullable()
        .default(null),
      "where a router counts requests",
    ),
  },
  [isSampled, isSampledRule],
);

const analysis = objectOf(
  {
    ...analysisParts,
    metrics: part(
      objectOf(metricsParts).prefault({}),
      `{${Object.entries(metricsParts)
        .map(([name, { rule }]) => `${name}: ${rule}`)
        .join("; ")}}`,
    ),
    controllerImage: part(
      z
        .string()
        .max(512)
        .refine((text) => text === "" || isImage(text))
        .default(""),
      'an image with a digest or a tag that is not latest; "": no analysis after the update',
    ),
  },
  [isSampled, isSampledRule],
);

const receiverUrl = part(
  z
    .string()
    .max(2000)
    .refine((text) => text === "" || isSecureUrl(text))
    .default(""),
  secureUrlRule,
);

const alerts = objectOf(
  {
    slackUrl: receiverUrl,
    webhookUrl: receiverUrl,
    webhookSecret: part(
      z.union([z.literal(""), z.string().min(16).max(1000)]).default(""),
      "16 characters or more; with webhookUrl, and only then",
    ),
    pagerDutyKey: part(
      z
        .string()
        .regex(/^([A-Za-z0-9]{32})?$/)
        .default(""),
      "the 32 letters and digits of an Events API v2 integration",
    ),
  },
  [
    ({ webhookUrl, webhookSecret }) => (webhookUrl === "") === (webhookSecret === ""),
    "webhookSecret with webhookUrl, and only then",
  ],
);

const gatewayRule = `with router ${whichCan(({ gateway }) => gateway !== undefined)} and only then`;

/** How users come in, and what of it moves. */
const traffic = objectOf(
  {
    strategy: part(z.enum(trafficStrategies).default("selector"), trafficStrategies.join(" or ")),
    router: part(z.enum(routerNames).default("nginx"), routerNames.join(", ")),
    gateway: part(
      z
        .string()
        .refine((text) => text === "" || isGateway(text))
        .default(""),
      `NAMESPACE/NAME, or with router ${whichCan((each) => each.gateway?.listeners === true)} NAMESPACE/NAME/LISTENER; ${gatewayRule}`,
    ),
    internalHost: part(
      z
        .string()
        .refine((text) => text === "" || isHostName(text))
        .default(""),
      'a host name in lower case, no address and not that of host, or ""',
    ),
    affinity: part(z.enum(affinities).default("none"), affinities.join(", ")),
  },
  [
    ({ router, gateway: named }) => {
      const { gateway } = routers[router];
      return named === ""
        ? gateway === undefined
        : gateway !== undefined && (gateway.listeners || named.split("/").length === 2);
    },
    `gateway ${gatewayRule}`,
  ],
);

/**
 * Every setting, declared once: its type, default, unit, rule, description, and where it ends. Pulumi.yaml, the
 * arguments of `BlueGreenApp` and the reference page are written from this list (`npm run docs`), and `init`
 * asks what it says. Where a description says config, an argument is meant as well.
 */
export const shape = {
  activeColor: field(z.enum(colors), {
    rule: "blue or green",
    description:
      "The live color: blue or green. Changing it is the switch; changing it back is the rollback.",
    example: "green",
    ends: { place: "the selector of the active Service" },
  }),
  blueTag: tag(
    "Image tag of blue, or tag and digest (v1.3.0@sha256:…). Without one blue stays at zero replicas. Required for the active color.",
  ),
  greenTag: tag(
    "Image tag of green, or tag and digest. Without one green stays at zero replicas. Required for the active color.",
  ),
  imageRepository: field(z.string().refine(isRepository), {
    rule: "an image repository without a tag, in lower case, at most 255 characters",
    description: "Image repository of both colors, without a tag.",
    example: "ghcr.io/you/shop",
    ends: deployment,
  }),
  replicas: integer(
    3,
    1,
    1000,
    "pods",
    deployment,
    "Pods of each deployed color, unless autoscaling.maxReplicas is set.",
  ),
  autoscaling: objectField(autoscaling, {
    description:
      "An autoscaler for each color (docs/guides/namespace-per-color.md#autoscaling). minReplicas and maxReplicas: fewest and most pods of a deployed color, 1 to 1000; a maxReplicas of 0: no autoscaler, and replicas pods. cpuPercent: of resources.requests.cpu, that pods use on average.",
    example: "--path autoscaling.maxReplicas 10",
    ends: { place: "HorizontalPodAutoscalers" },
  }),
  podDisruptionBudget: flag(
    true,
    "A PodDisruptionBudget for each color: a drain of nodes takes one of its pods at a time, and any that is not ready. false: where somebody else's selects the pods, since Kubernetes evicts no pod that two select.",
  ),
  quota: objectField(quota, {
    description:
      'What the namespace may use at most, or with namespacePerColor that of each color (docs/guides/namespace-per-color.md#quota). enabled: makes a ResourceQuota and a LimitRange. The others are its limits; 0 and "" are computed: room for both colors, a rolling update, the preflight pod and the analysis controller; a limit that resources do not have is left out. Add what else runs in the namespace.',
    example: "--path quota.enabled true",
    ends: { place: "a ResourceQuota" },
  }),
  networkPolicy: objectField(networkPolicy, {
    description:
      "Who may reach the pods, and what they may reach, where the cluster's network enforces it (docs/guides/namespace-per-color.md#networkpolicies). enabled: pods take connections on the http port alone, and on extraPorts of the pods. allowFrom: {namespaceLabels, podLabels} of whoever may, [] for everybody. egress: unrestricted, or restricted, which is DNS, HTTPS, the ports of the database and of URLs in env, and egressPorts.",
    example: "--path networkPolicy.egress restricted",
    ends: { place: "NetworkPolicies" },
  }),
  imagePullSecrets: field(json(z.array(z.string().regex(dnsSubdomain)).max(10).default([])), {
    rule: "a list of at most 10 names of Secrets, of the type kubernetes.io/dockerconfigjson, in the namespace",
    description:
      "Secrets that images are pulled with, in the namespace of each color and, with analysis.controllerImage, in the app's. Pods run as accounts of their own, which take nothing from the default account.",
    example: "--plaintext --path 'imagePullSecrets[0]' registry-credentials",
    ends: { place: "ServiceAccounts" },
    parts: {},
  }),
  namespace: field(z.string().regex(dnsLabel), {
    ofApp: (app) => app,
    rule: "a Kubernetes name: lower-case letters, digits and '-', at most 63",
    description:
      "Namespace that the program makes, unless createNamespaces is false, and fills; with namespacePerColor, of what belongs to no color.",
    example: "production",
    ends: objectNames,
  }),
  createNamespaces: flag(
    true,
    "Whether the program makes its namespaces. false: somebody has made them before, and an update needs no rights outside of them (docs/reference/rbac.md).",
  ),
  namespacePerColor: flag(
    false,
    "Whether each color lives in a namespace of its own, NAMESPACE-blue and NAMESPACE-green, which the program makes (docs/guides/namespace-per-color.md#namespaces); otherwise both live in the namespace, with all else. Needs traffic.strategy weighted with traffic.router gateway or traefik, and cannot be changed while there is an active color.",
  ),
  context: field(contextName.default(""), {
    rule: "a context of your kubeconfig",
    description: "Context of your kubeconfig. Not set, its current context is used.",
    example: "production",
    ends: state,
  }),
  clusters: objectField(clusters, {
    description:
      "One release over several clusters (docs/guides/multi-cluster.md). targets: {name, context} of each; none, and the app is in the one cluster that context names. rollout: sequential (traffic moves in one cluster after the other, each analysed before the next) or parallel. onFailure, when one fails: rollback (traffic of those that have switched returns) or stop (everything stays).",
    example: "--path 'clusters.targets[0].name' eu",
    ends: { place: "ConfigMaps of the clusters" },
  }),
  host: field(z.string().refine(isHostName).optional(), {
    rule: "a host name, in lower case, and no address",
    description:
      "Host name of the app, in lower case; no address. Needed, except with traffic.router none, which makes no ingress.",
    example: "app.example.com",
    ends: wayIn,
  }),
  traffic: objectField(traffic, {
    description:
      "How requests arrive, and what moves in a switch (docs/guides/traffic-routing.md). strategy: selector (of the active Service) or weighted (weights of the router between both colors). router: nginx, traefik, gateway, istio, alb, gce or none (no ingress). gateway (router gateway or istio): NAMESPACE/NAME of a Gateway that is there, or NAMESPACE/NAME/LISTENER (router gateway). internalHost: host of the color paths /blue and /green, which then ask for no password; another one than host; not set, they are on host and ask for one. affinity: none, cookie (the edge keeps a user with a color) or clientIP (the Services do).",
    example: "--path traffic.strategy weighted",
    ends: wayIn,
  }),
  canaryWeight: field(json(z.int().min(0).max(99).default(0)), {
    unit: "percent",
    rule: "a whole number of percent from 0 to 99: all traffic moves by activeColor",
    description:
      "Percentage of the traffic, 0 to 99, that the idle color gets; only with traffic.strategy weighted. All traffic moves by activeColor. npm run bluegreen -- shift raises it step by step (docs/guides/traffic-routing.md).",
    example: "10",
    ends: wayIn,
  }),
  canaryStepSeconds: integer(
    60,
    0,
    3600,
    "seconds",
    state,
    "Seconds, 0 to 3600, that an update analyses the idle color after it has raised its weight; npm run bluegreen -- shift sets it.",
  ),
  ingress: objectField(ingress, {
    description:
      "The objects of the ingress. annotations: of those that requests come in by; they win over the program's, except where a release needs its own, which the preview says. hosts: further host names, *.example.com too, all with TLS. tlsSecret: Secret of the certificate; not set, APP-tls. paths: other backends on these hosts, each {path, pathType, service, port}.",
    example: "--path 'ingress.hosts[0]' www.example.com",
    ends: wayIn,
  }),
  service: objectField(service, {
    description:
      "The Services. annotations, type (ClusterIP, NodePort or LoadBalancer) and port are the active Service's; appProtocol, of the app's port, and extraPorts, each {name, port, targetPort, appProtocol}, also those of the Services of each color.",
    example: "--path service.type LoadBalancer",
    ends: { place: "the Services" },
  }),
  labels: mapField(labels, {
    rule: labelsRule,
    description:
      "Labels of every object that the program makes, namespaces included, beside its own. Not of pods: a new label of a pod is a new pod.",
    example: "--path labels.team checkout",
    ends: { place: "the metadata of objects" },
  }),
  annotations: mapField(annotations, {
    rule: annotationsRule,
    description: "Annotations of every object that the program makes, not of pods. Its own win.",
    example: "--path 'annotations[\"example.com/owner\"]' checkout",
    ends: { place: "the metadata of objects" },
  }),
  ingressClass: field(z.string().regex(dnsSubdomain).optional(), {
    rule: "the name of an IngressClass",
    description: "IngressClass of the ingress. Not set, the one that goes with traffic.router.",
    example: "nginx",
    ends: wayIn,
  }),
  clusterIssuer: field(z.string().regex(dnsSubdomain).default("letsencrypt-prod"), {
    rule: "the name of a cert-manager ClusterIssuer, or none",
    description:
      "cert-manager ClusterIssuer of the host's certificate; none, where somebody else makes Secret APP-tls.",
    example: "letsencrypt-prod",
    ends: wayIn,
  }),
  env: mapField(env, {
    rule: envRule,
    description:
      "Variables for the pods of both colors, in a ConfigMap of each (docs/guides/configuration-per-release.md): never encrypted. Names that the program sets, too, are then yours. A number that is not whole stands in quotes.",
    example: `--path 'env.LOG_LEVEL' info`,
    ends: { place: "a ConfigMap of each color", instead: "secretEnv" },
  }),
  secretEnv: mapField(secretEnv, {
    rule: secretEnvRule,
    // Without a value: Pulumi asks for it, and no shell remembers it.
    description:
      "Secret. Variables for the pods of both colors, in a Secret of each: pulumi config set --secret --path secretEnv.NAME.",
    example: `--secret --path 'secretEnv.NAME'`,
    ends: "secret",
  }),
  envFromSecrets: mapField(envFromSecrets.default({}), {
    rule: envFromSecretsRule,
    description:
      "Variables that pods take from Secrets of yours, as SECRET/KEY in their namespace. What secretEnv gives is not asked of a Secret.",
    example: "--path envFromSecrets.API_KEY api-credentials/key",
    ends: deployment,
  }),
  blue: colorSettings("blue"),
  green: colorSettings("green"),
  podTemplate: field(json(podTemplateSchema.prefault({})), {
    rule: podTemplateRule,
    description:
      "Pods as Kubernetes has them: a pod template, {metadata, spec} as in a Deployment, or the manifest of a Deployment, whose template it is (docs/guides/pod-template.md). What it says wins over the program's defaults, merged as kubectl patch does, null removes. It sets neither the image of the app's container nor the labels app and version. A value of config that looks like a number is a text with --type=string.",
    example: "--path 'podTemplate.spec.nodeSelector[\"kubernetes.io/arch\"]' arm64",
    ends: { place: deployment.place, instead: "secretEnv" },
    parts: {},
    argType: "PodTemplateArg",
  }),
  podTemplateFile: field(podTemplateFile.optional(), {
    rule: podTemplateFileRule,
    description:
      "File, below the program's folder, with a pod template or the manifest of a Deployment, which podTemplate is merged over.",
    example: "deployment.yaml",
    ends: state,
  }),
  workers: field(json(workers.default([]), asWritten), {
    rule: workersRule,
    description:
      "Further pods of each color from the same image, with its variables and Secrets, that answer no requests (docs/guides/workers.md). runOn: active, stopped and started with the switch, or both, which have to be ready before it. replicas: of each color that they run on. overlap: with runOn active, lets the old ones run until the new ones have started; otherwise these wait until those are gone. command and args: words, instead of what the image starts with. podTemplate: merged over the pods of the color, without their ports and probes.",
    example: `'[{"name":"mailer","command":["node","mailer.js"]}]'`,
    ends: { place: deployment.place, instead: "secretEnv" },
    parts: {},
    argType: "WorkerArgs[]",
  }),
  cronJobs: field(json(cronJobs.default([]), asWritten), {
    rule: cronJobsRule,
    description:
      "CronJobs of each color from the same image, with its variables and Secrets: those of the live color start Jobs, those of the idle color are suspended (docs/guides/cron-jobs.md). schedule: five fields of cron, or as @daily. timeZone: of the IANA database; not set, that of the cluster's control plane. concurrencyPolicy: what happens where the Job before still runs. command and args: words, instead of what the image starts with. podTemplate: merged over the pods of the color, without their ports and probes, and with restartPolicy OnFailure.",
    example: `'[{"name":"nightly","schedule":"0 2 * * *","timeZone":"Etc/UTC","command":["node","nightly.js"]}]'`,
    ends: { place: deployment.place, instead: "secretEnv" },
    parts: {},
    argType: "CronJobArgs[]",
  }),
  activeColorFile: flag(
    false,
    "Whether pods, workers among them, have a file with the live color in it, which a switch changes without a restart (docs/guides/active-color-file.md). BLUEGREEN_ACTIVE_COLOR_FILE is its path, and BLUEGREEN_COLOR the pod's own color.",
  ),
  serviceAccount: objectField(serviceAccount, {
    description:
      "The account that pods run as. name: of one that is there; not set, the program makes APP-blue and APP-green. annotations: of those that it makes, as a cloud's role asks for.",
    example: "--path 'serviceAccount.name' shop",
    ends: { place: "ServiceAccounts" },
  }),
  container: field(z.string().regex(dnsLabel).optional(), {
    description:
      "Name of the app's container in its pods. Not set, it is the one of podTemplate that has the image of imageRepository, or APP, the app's name.",
    rule: "a Kubernetes name: lower-case letters, digits and '-', at most 63",
    example: "app",
    ends: deployment,
  }),
  http: objectField(http, {
    description:
      "How the app answers inside its container. port: 1 to 65535, one that is open to the app's user; it is told by no variable. livenessPath: 200 while the process is well, whatever its database does. readinessPath: 200 while it can serve traffic; its body may hold the schema range (docs/guides/migrations.md) and reasons.",
    example: "--path http.port 8080",
    ends: deployment,
  }),
  resources: objectField(resources, {
    description:
      "CPU and memory of each pod, as in a container. A request that is not given has its default. limits are taken whole: one that they do not name is no limit, and {} is none at all.",
    example: "--path resources.requests.cpu 250m",
    ends: deployment,
  }),
  livenessProbe: probe(
    "livenessProbe",
    30,
    10,
    5,
    3,
    "Timings, in seconds, of the probe of /health, which restarts a pod.",
  ),
  readinessProbe: probe(
    "readinessProbe",
    10,
    5,
    3,
    2,
    "Timings, in seconds, of the probe of /ready, which takes a pod out of traffic.",
  ),
  // A Deployment has ten minutes to be ready, and Kubernetes wants that to be longer.
  minReadySeconds: integer(
    5,
    0,
    599,
    "seconds",
    deployment,
    "Seconds, 0 to 599, that a new pod has to stay ready before it counts. A version that dies right after its start does not pass.",
  ),
  preStopDelaySeconds: integer(
    5,
    0,
    300,
    "seconds",
    deployment,
    "Seconds that a stopping pod continues serving until no Service sends to it.",
  ),
  terminationGracePeriodSeconds: integer(
    30,
    1,
    3600,
    "seconds",
    deployment,
    "Seconds from the order to stop until a pod is killed, draining included.",
  ),
  progressDeadlineSeconds: integer(
    300,
    1,
    3600,
    "seconds",
    state,
    "Seconds, 1 to 3600, that a color may take to become ready.",
  ),
  smokeTimeoutSeconds: integer(
    300,
    1,
    3600,
    "seconds",
    state,
    "Seconds that the smoke suite may take; then it is ended, with everything that its tests have started.",
  ),
  smokeTests: field(
    z
      .string()
      .min(1)
      .regex(/^\P{Cc}+$/u)
      .refine((glob) => !leadsOut(glob))
      .default("tests/smoke/**/*.ts"),
    {
      rule: "a glob of mocha test files below the program's folder",
      description:
        "Glob, below the program's folder, of the mocha tests that a color has to pass before it gets traffic.",
      example: "tests/smoke/**/*.ts",
      ends: state,
    },
  ),
  smokeEnv: field(
    json(
      z
        .array(
          z
            .string()
            .regex(variable)
            .refine((name) => !suiteVariables.includes(name)),
        )
        .max(50)
        .default([]),
    ),
    {
      rule: `a list of at most 50 names of variables, without ${suiteVariables.join(", ")}`,
      description:
        "Names of variables that the smoke tests get from where Pulumi runs, secret ones included: the values are in no config, and hidden in what a test says.",
      example: "--path 'smokeEnv[0]' TEST_TOKEN",
      ends: state,
      parts: {},
    },
  ),
  smokeLiveColor: flag(
    false,
    "Runs the smoke tests against the live color as well, in an update that deploys or migrates: before its first migration, after its migrations, and once the idle pods are ready. A test that passed before and fails after stops the update (docs/guides/analysis-and-rollback.md#its-own-smoke-tests). The tests have to bear being run several times against what serves traffic.",
  ),
  gates: field(json(gates, asWritten), {
    rule: gatesRule,
    description:
      "Programs of yours that decide whether a release goes on (docs/guides/gates.md). when: beforeRollout (of each new pod template of a color), beforeSwitch, afterSwitch (traffic returns unless it passes) or beforeScaleDown (of the standby). command: words of a program where Pulumi runs, in the program's folder, without a shell. job: instead of it, a Job of any image in the color's namespace. Exit code 0 passes. env: variables for it, never encrypted. passEnv: names of variables of pulumi's own environment that a command gets, secrets among them. job.envFromSecrets: variables from Secrets, as SECRET/KEY. timeoutSeconds: after which it is ended with everything that it has started.",
    example: `'[{"name":"load","when":"beforeSwitch","command":["k6","run","load.js"]}]'`,
    ends: { place: "the stack's state and Jobs", instead: "passEnv or job.envFromSecrets of the gate" },
    parts: {},
    argType: "GateArgs[]",
  }),
  migrations: objectField(migrations, {
    description:
      "Migrations of the app's own framework (docs/guides/migrations-by-command.md). command: words that a Job of the new image runs instead of what the image starts with, with the variables and Secrets of the pods, before the first of them, once for each pod template; beside the files of migrationsDir or without any. timeoutSeconds: 1 to 86400, after which it is ended.",
    example: `--path 'migrations.command[0]' /app/migrate`,
    ends: { place: "the stack's state and Jobs" },
  }),
  migrationsDir: field(
    z
      .string()
      .regex(/^[\w.-]+(\/[\w.-]+)*$/)
      .refine((folder) => !leadsOut(folder))
      .default("migrations"),
    {
      rule: "a folder below the program's, as PATH/TO/FOLDER",
      description: "Folder of the app's schema changes, below the program's.",
      example: "migrations",
      ends: state,
    },
  ),
  schemaVersion: field(z.string().regex(migrationId).optional(), {
    rule: "the id of the newest migration wanted, four digits or more",
    description:
      "Id of the newest migration to apply. Not set, all in migrationsDir are. Contract migrations among them wait for contractMigration, except in the very first release. Lowering it undoes nothing (docs/guides/migrations.md).",
    example: "0002",
    ends: state,
  }),
  contractMigration: field(z.string().regex(migrationId).optional(), {
    rule: "the id of the newest contract migration wanted, four digits or more",
    description:
      "Id of the newest contract migration to apply, at most schemaVersion where that is set. Not set, none is. Applied at the end of an update that switches nothing, when no version that needs the old form is left (docs/guides/migrations.md).",
    example: "0005",
    ends: state,
  }),
  contractDelayHours: integer(
    24,
    24,
    48,
    "hours",
    state,
    "Hours, 24 to 48, from the last switch by the database's clock until contract migrations may be applied.",
  ),
  analysis: objectField(analysis, {
    description:
      "How the active color is observed after a switch, with automatic rollback (docs/guides/analysis-and-rollback.md). durationSeconds: 0 to 3600, by the update; 0 for not at all. intervalSeconds: 1 to 300 and at most a quarter of durationSeconds, between two samples. failureThreshold: 1 to 1000, points within durationSeconds that end it. latencySeconds: an average or p99 beyond it counts. slowerThanBefore: whether latencies that are higher than the old color's before the switch are only reported, or count. logErrors: more errors in the logs of four pods in an interval count, unless the logs were as noisy before. metrics: path and port of the app's metrics, and where it names them as no known library does, name (of the metric that counts requests), statusLabel, errorStatus (a regular expression) and pathLabel. maxErrorPercent: a fixed limit instead of a comparison with the errors of before the switch. noData, where no request or no status was seen: continue, fail, or router, which asks the router as well. requestsFrom, of an app without metrics of its own: pods, router (the metrics of traffic.router), istio or linkerd; with traffic.router gateway who implements it: envoyGateway, istioGateway or traefikGateway. routerMetricsUrl: those of the router itself, of one instance; not set, prometheusUrl is asked for them. prometheusUrl and prometheusQueries: what else to ask; {name, query, max, min, maxTimes, comparedWith, whenNoData} each, with {{color}} in the query for the color analyzed; max and min: the largest and smallest value that pass; maxTimes: the largest as a multiple of the same query of the active color before the switch, or of the idle color with comparedWith idle; whenNoData: continue or fail. webhookUrl: asked with every sample, answers {healthy, reason}. URLs without a user, a password or a query. controllerImage: with a digest or a tag that is not latest, of the controller that continues in the cluster, for standbyHours, where an update ends or dies; not set, the analysis ends with its update.",
    example: "--path analysis.durationSeconds 60",
    ends: { place: "the analysis controller's Deployment and the stack's state" },
  }),
  standbyHours: integer(
    24,
    24,
    48,
    "hours",
    state,
    "Hours, 24 to 48, that the standby keeps its pods after a switch, and that the analysis controller observes the active color (docs/guides/analysis-and-rollback.md).",
  ),
  alerts: objectField(alerts, {
    description:
      "Each part a secret. Who is told about switches, rollbacks and failed gates (docs/guides/alerts.md); the program makes Secret APP-alerts of it. slackUrl: an incoming webhook. webhookUrl: takes signed JSON; webhookSecret signs it, 16 characters or more. pagerDutyKey: of an Events API v2 integration.",
    example: "--path alerts.slackUrl --secret",
    ends: "secret",
    late: {
      slackUrl: "https://late.invalid/",
      webhookUrl: "https://late.invalid/",
      webhookSecret: "late".repeat(4),
      pagerDutyKey: "0".repeat(32),
    },
  }),
  lockWaitSeconds: integer(
    60,
    0,
    3600,
    "seconds",
    state,
    "Seconds, 0 to 3600, to wait for another update that releases the app at the moment (docs/guides/concurrent-updates.md).",
  ),
  allowInPlaceUpdate: flag(
    false,
    "Lets the live color's pods change in place, as a rolling update, after a preflight pod that no user reaches has passed the gates of a switch. Also lets a switch change the variables of the color it leaves (docs/guides/configuration-per-release.md).",
  ),
  deletionProtection: flag(
    true,
    "Refuses `pulumi destroy`, and a program without them, to delete what serves traffic (docs/guides/concurrent-updates.md). To destroy the stack, set it to false, run `pulumi up`, and then `pulumi destroy`.",
  ),
  writeFreeze: objectField(writeFreeze, {
    description:
      "Asks the app not to write during a switch (docs/guides/write-freeze.md). maxSeconds: after which it ends in any case, 0 to 600, 0 for none. gracePeriodMs: wait between asking and moving, 0 to 60000, less than maxSeconds. redisUrl: where the request is left, in the Redis that the app asks, as this program reaches it; without a password; needed with maxSeconds.",
    example: "--path writeFreeze.maxSeconds 30",
    ends: "secret",
    late: { redisUrl: "redis://late.invalid" },
  }),
  connectionDrain: objectField(connectionDrain, {
    description:
      "How clients leave the color that traffic has moved from (docs/guides/connection-draining.md). timeoutSeconds: 0 to 3600, within which their connections and streams end; the color is not touched before. 0: nobody waits. port: where pods take the order, inside the pod alone; 0: they take none.",
    example: "--path connectionDrain.timeoutSeconds 30",
    ends: deployment,
  }),
  databaseSecret: field(z.string().regex(dnsSubdomain), {
    description:
      "Secret in the namespace of the pods that leads to the database, by its keys (docs/guides/databases.md); where each color has its own, one of this name with -blue and one with -green.",
    rule: "the name of a Secret",
    example: "shop-database",
    ofApp: (app) => `${app}-database`,
    ends: deployment,
  }),
  database: objectField(database, {
    description:
      "How the two colors share their data (docs/guides/databases.md). strategy: shared (one database), logicalReplication (one each, replicated both ways), streamingReplica (the idle color reads a standby) or none (the app has no database). With logicalReplication and streamingReplica there are two Secrets (databaseSecret). runIn: update (connections go from the machine that runs the update) or cluster (they go through a pod of analysis.controllerImage that the update makes; only with shared). allowDataLoss: continues where writes are lost; take it back afterwards. rebuildCommand (streamingReplica): words of a command that makes the server of STANDBY_COLOR a standby of PRIMARY_COLOR, both in its environment. rebuildTimeoutSeconds: 1 to 86400, after which it is ended with everything that it has started. timeoutSeconds: 1 to 86400, for one database to have what the other has, first copy included.",
    example: "--path database.strategy shared",
    ends: { place: "the analysis controller's Deployment and the stack's state" },
  }),
  databaseAdminUrl: field(z.string().refine(isPostgresUrl).optional(), {
    rule: "a PostgreSQL URL of a role that may create roles and databases; what is no letter or digit of its password by its number, / as %2F and @ as %40",
    description:
      "Secret. PostgreSQL URL of a role that may create roles and databases (CREATEROLE, CREATEDB); in its password / is written as %2F, @ as %40. What it says of encryption, as ?sslmode=disable, the DATABASE_URL of the pods says as well. With it the program makes the app's database account and its Secret (databaseSecret) itself; only with database.strategy shared.",
    example: "--secret postgres://admin@db.example.com/postgres",
    ends: "secret",
    late: "postgres://late.invalid/",
  }),
  databaseAddress: field(z.string().refine(isAddress).optional(), {
    rule: "HOST:PORT of the database as pods see it, an IPv6 address in brackets",
    description:
      "HOST:PORT of that server as pods reach it, an IPv6 address in brackets. Needed with databaseAdminUrl.",
    example: "db.example.com:5432",
    ends: { place: "a NetworkPolicy, by its port" },
    hidden: true,
    late: "late.invalid:5432",
  }),
};

export type FlatSettings = { [K in keyof typeof shape]: z.output<(typeof shape)[K]> };
