import { errorStatusDefault, type AnalysisLimits } from "@bluegreen/release/analysis/limits";
import type { RequestCounters } from "@bluegreen/release/analysis/requestCounters";
import type { PodObservation, Observation } from "@bluegreen/release/analysis/observation";

/** What a query has that config says no more of. */
export const held = { comparedWith: "before", whenNoData: "continue" } as const;

export const limits: AnalysisLimits = {
  durationSeconds: 600,
  intervalSeconds: 30,
  failureThreshold: 10,
  latencySeconds: 5,
  slowerThanBefore: "report",
  logErrors: 5,
  metrics: {
    path: "/metrics",
    port: 0,
    name: "",
    statusLabel: "",
    errorStatus: errorStatusDefault,
    pathLabel: "",
    ownPaths: ["/health", "/ready", "/metrics"],
  },
  maxErrorPercent: 0,
  noData: "continue",
  requestsFrom: "pods",
  series: null,
  routerMetricsUrl: "",
  prometheusUrl: "",
  prometheusQueries: [],
  webhookUrl: "",
};

const bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** What a pod has counted after so many requests that took so long each. */
export function counters({
  requests = 0,
  serverErrors = 0,
  clientErrors = 0,
  unclassified = 0,
  each = 0.04,
}: {
  requests?: number;
  serverErrors?: number;
  clientErrors?: number;
  unclassified?: number;
  each?: number;
}): RequestCounters {
  const buckets = Object.fromEntries(bounds.map((bound) => [String(bound), each <= bound ? requests : 0]));
  return {
    requests,
    serverErrors,
    clientErrors,
    unclassified,
    timed: requests,
    seconds: requests * each,
    buckets: { ...buckets, "+Inf": requests },
    malformed: 0,
    source: "http_request_duration_seconds by status",
  };
}

export function pod(about: Partial<PodObservation> = {}): PodObservation {
  return {
    name: "chatgpt-app-green-a",
    ready: true,
    restarts: 0,
    backsOff: false,
    answered: true,
    counters: counters({}),
    log: { readAt: 0 },
    ...about,
  };
}

export function observation(pods: PodObservation[], about: Partial<Observation> = {}): Observation {
  return { pods, logs: { errors: 0, samples: [], cutPods: 0, unreadPods: 0 }, queries: [], ...about };
}

/** The histogram as the app's own library writes it. */
export function metricsText(
  series: { route?: string; status?: number; requests: number; each?: number }[],
): string {
  const lines = [
    "# HELP http_request_duration_seconds Time from a request to the end of its answer",
    "# TYPE http_request_duration_seconds histogram",
  ];
  for (const { route = "/mcp", status = 200, requests, each = 0.04 } of series) {
    const labels = `method="GET",route="${route}",status="${status}"`;
    for (const bound of bounds)
      lines.push(
        `http_request_duration_seconds_bucket{le="${bound}",${labels}} ${each <= bound ? requests : 0}`,
      );
    lines.push(`http_request_duration_seconds_bucket{le="+Inf",${labels}} ${requests}`);
    lines.push(
      `http_request_duration_seconds_sum{${labels}} ${requests * each}`,
      `http_request_duration_seconds_count{${labels}} ${requests}`,
    );
  }
  return `${lines.join("\n")}\n`;
}
