import type { RequestSeries } from "../app/requestSeries.js";

/**
 * pods: each pod's own metrics. router: those of traffic.router. istio, linkerd: those of a service mesh. The others:
 * those of who implements the Gateway API.
 */
export const requestSources = [
  "pods",
  "router",
  "istio",
  "linkerd",
  "envoyGateway",
  "istioGateway",
  "traefikGateway",
] as const;
type RequestSource = (typeof requestSources)[number];

/** A question to Prometheus, and what its answer is held to: at least one of max, min and maxTimes. */
export type PrometheusQuery = {
  /** What people call it. */
  name: string;
  /** PromQL of an instant query, giving a scalar or a vector; {{color}} in it is the color that is analyzed. */
  query: string;
  /** The largest value that passes; of a vector the worst element counts. */
  max?: number;
  /** The smallest value that passes. */
  min?: number;
  /** The largest value that passes, as a multiple of what it is compared with. */
  maxTimes?: number;
  /** before: the same query of the active color before the switch. idle: of the other color at the same time. */
  comparedWith: "before" | "idle";
  /** fail: no data counts as a value that does not pass. */
  whenNoData: "continue" | "fail";
};

/** What a version is measured by after traffic has moved to it. */
export type AnalysisLimits = {
  /** How long the analysis continues, and how long points count. */
  durationSeconds: number;
  /** From one observation to the next. */
  intervalSeconds: number;
  /** So many points within `seconds` end it. */
  failureThreshold: number;
  /** An average or 99th percentile above it is slow. */
  latencySeconds: number;
  /** What comes of latencies that are higher than the old color's before the switch: they are said, or they count. */
  slowerThanBefore: "report" | "count";
  /** More error lines than this in the logs of four pods in an interval count one point each. */
  logErrors: number;
  /** How the app names its metrics, and which requests are nobody's. */
  metrics: MetricsSource;
  /** Errors in a hundred requests, above which an interval counts; 0: they are compared with those of before. */
  maxErrorPercent: number;
  /**
   * What comes of an analysis that saw no request, or no status of one. router: the router is asked as well, and
   * believed where the pods say nothing.
   */
  noData: "continue" | "fail" | "router";
  /** Whose figures of requests count. */
  requestsFrom: RequestSource;
  /** Where the router or the mesh counts requests; null where nobody asks it. */
  series: RequestSeries | null;
  /** The app has workers, whose restarts count as well; absent where nobody asks for them. */
  workers?: true;
  /** Address of the router's own metrics, of one instance; empty: Prometheus is asked for them. */
  routerMetricsUrl: string;
  /** Base address of Prometheus' HTTP API; empty asks none. */
  prometheusUrl: string;
  prometheusQueries: PrometheusQuery[];
  /** Asked for its verdict after each observation; empty asks none. */
  webhookUrl: string;
};

/** Where an app's metrics are, and how they are named. */
export type MetricsSource = {
  /** Path of the metrics on the app's own port. */
  path: string;
  /** Another port of the pod for them; 0: the port that serves requests. */
  port: number;
  /** Name of the one metric that counts requests, without _count or _bucket; empty: those of known libraries. */
  name: string;
  /** Its label that tells the status or result of a request; empty: those of known libraries. */
  statusLabel: string;
  /** Values of that label that are the server's errors, as a regular expression of the whole value. */
  errorStatus: string;
  /** Its label that tells the path; empty: those of known libraries. */
  pathLabel: string;
  /**
   * Asked by the kubelet and by whoever collects metrics, the analysis included. Counted, they would make a color
   * that nobody uses look used and well, and the 503 of a pod that is not ready look like a user's.
   */
  ownPaths: string[];
};

export const errorStatusDefault = "5(\\d\\d|xx)";

/** How requests are named. */
export type Naming = Pick<MetricsSource, "name" | "statusLabel" | "errorStatus" | "pathLabel" | "ownPaths"> &
  Pick<RequestSeries, "unit" | "counter">;

/** Labels that a series has to have, as regular expressions of the whole value; none: all series count. */
export type SeriesFilter = Readonly<Record<string, string>>;

/** Metrics of durations, as histograms or summaries, with the units of a second that they count in. */
export const durations: ReadonlyMap<string, number> = new Map([
  // prom-client's and Go's examples, express-prom-bundle, FastAPI's and Actix's instrumentation
  ["http_request_duration_seconds", 1],
  // OpenTelemetry, .NET
  ["http_server_request_duration_seconds", 1],
  ["http_server_duration_milliseconds", 1000],
  // Micrometer: Spring, Quarkus, Micronaut
  ["http_server_requests_seconds", 1],
  // Others that are often seen
  ["http_request_duration_milliseconds", 1000],
  ["http_request_duration_ms", 1000],
  ["http_requests_duration_seconds", 1],
  ["axum_http_requests_duration_seconds", 1],
  ["flask_http_request_duration_seconds", 1],
  ["rails_request_duration_seconds", 1],
  ["ruby_http_request_duration_seconds", 1],
  ["django_http_requests_latency_seconds_by_view_method", 1],
  ["starlette_request_duration_seconds", 1],
  ["gunicorn_request_duration_seconds", 1],
]);

/** Metrics that count requests or answers, best first: the first that tells a status is taken. */
export const counters: readonly string[] = [
  "http_requests_total",
  "http_server_requests_total",
  "http_requests_received_total",
  "http_responses_total",
  "django_http_responses_total_by_status_total",
  "flask_http_request_total",
  "rails_requests_total",
  "ruby_http_requests_total",
  "axum_http_requests_total",
  "starlette_requests_total",
  "gunicorn_requests_total",
  "nginx_vts_server_requests_total",
  "nginx_http_requests_total",
];

export const statusLabels = [
  "status",
  "status_code",
  "code",
  "http_response_status_code",
  "http_status_code",
  "http_status",
  "statusCode",
  "response_code",
];
export const pathLabels = [
  "route",
  "path",
  "handler",
  "uri",
  "http_route",
  "url_path",
  "endpoint",
  "url",
  "view",
];

/** Of a metric that a person has named. */
export function unitOf(name: string): number {
  return /_(ms|milliseconds)$/.test(name) ? 1000 : 1;
}
