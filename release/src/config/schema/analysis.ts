import { z } from "zod";
import { errorStatusDefault, requestSources } from "../../analysis/limits.js";
import { colors } from "../../app/color.js";
import { objectField, objectOf, part, integer, state } from "../fields.js";
import { isPlainUrl, isImage } from "../forms.js";

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

/** By default ten minutes, every 30 s, ten points, five errors, five seconds. */
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
    workers: part(z.literal(true).exactOptional(), "true where the app has workers"),
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

/** How the active color is observed after a switch. */
export const analysisShape = {
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
};
