/** A question to Prometheus whose answer has to stay within a bound. */
export type PrometheusQuery = {
  /** What people call it. */
  name: string;
  /** PromQL of an instant query, giving a scalar or a vector. */
  query: string;
  /** The largest value that is all right; of a vector the worst element counts. */
  max: number;
};

/** What a version is measured by after traffic has moved to it. */
export type WatchLimits = {
  /** How long the watch goes on, and how long points count. */
  seconds: number;
  /** From one reading to the next. */
  everySeconds: number;
  /** So many points within `seconds` end it. */
  threshold: number;
  /** An average or 99th percentile above it is slow. */
  latencySeconds: number;
  /** More error lines than this in the logs of all pods between two readings count one point each. */
  logErrors: number;
  /** Base address of Prometheus' HTTP API; empty asks none. */
  prometheusUrl: string;
  prometheusQueries: PrometheusQuery[];
  /** Asked for its opinion after each reading; empty asks none. */
  webhookUrl: string;
};
