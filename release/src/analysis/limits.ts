import type { RequestSeries } from "../app/requestSeries.js";
import type { MetricsSource } from "./metricsSource.js";

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
export type RequestSource = (typeof requestSources)[number];

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
