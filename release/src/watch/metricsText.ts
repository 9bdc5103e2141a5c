/** What one pod has counted of its users' requests since it started. Every figure only grows, until the pod starts again. */
export interface RequestCounters {
  requests: number;
  /**
   * Answers with a status of 500 and more. The 503 of the read-only fence (a write that came while
   * traffic moved) is among them: its status alone does not tell it from any other.
   */
  serverErrors: number;
  /** What all requests together took. */
  seconds: number;
  /** Requests that took at most so many seconds, by that bound as a decimal number or "+Inf". */
  buckets: Record<string, number>;
  /** Lines of the histogram that could not be read, and are in none of the figures. */
  malformed: number;
}

const histogram = "http_request_duration_seconds";

/**
 * Asked by the kubelet and by whoever collects metrics, this watch included. Counted, they would make a
 * color that nobody uses look used and well, and the 503 of a pod that is not ready look like a user's.
 */
const ownRoutes = new Set(["/health", "/ready", "/metrics"]);

/**
 * The largest text that is read. 14 lines of some 110 bytes a series: room for 2,500 pairs of route and
 * status, where the histograms of a large app have some hundred.
 */
export const maxMetricsBytes = 4 * 1024 * 1024;

/** Four times the lines that fit there at their usual length: a text of empty lines costs no more than a full one. */
const maxLines = 4 * (maxMetricsBytes / 110);

/** Ten times what a line with long routes takes. The pattern for labels must not be given more than it can take back. */
const maxLineLength = 16 * 1024;

/** Client libraries write 11 to 20. Beyond that, left out bounds make the percentile coarser, never wrong. */
const maxBuckets = 64;

/**
 * Reads the histogram of requests from one pod's metrics, over all methods, and all routes but those for probes and metrics. Never throws.
 * @param text in Prometheus' text format, or whatever the pod answered
 * @returns undefined when there is no such histogram in it, or more than can be read: that is not zero requests.
 * A part is never taken for the whole: figures would seem to have fallen, as they do when a pod starts again.
 */
export function readRequestCounters(text: string): RequestCounters | undefined {
  const counters: RequestCounters = { requests: 0, serverErrors: 0, seconds: 0, buckets: {}, malformed: 0 };
  const figure = /(bucket|sum|count)(?![\w:])/y;
  let found = false;
  let lines = 0;
  for (let start = 0; start < text.length; lines++) {
    if (lines >= maxLines) return undefined;
    const newline = text.indexOf("\n", start);
    const end = newline === -1 ? text.length : newline;
    // A histogram with labels and without a request has a type and no figures.
    if (text.startsWith(`# TYPE ${histogram} `, start)) found = true;
    else if (text.startsWith(`${histogram}_`, start)) {
      // Not _created of OpenMetrics, nor another histogram whose name begins with the same words.
      figure.lastIndex = start + histogram.length + 1;
      const name = figure.exec(text)?.[1];
      if (name !== undefined) {
        found = true;
        if (end - start > maxLineLength || !addSample(counters, name, text.slice(figure.lastIndex, end))) counters.malformed++;
      }
    }
    start = end + 1;
  }
  return found ? counters : undefined;
}

/** @returns false when the rest of the line makes no sense */
function addSample(counters: RequestCounters, figure: string, rest: string): boolean {
  const sample = readSample(rest);
  if (sample === undefined) return false;
  const { labels, value } = sample;
  if (ownRoutes.has(labels.get("route") ?? "")) return true;
  if (figure === "bucket") return addToBucket(counters, labels.get("le"), value);
  if (figure === "sum") counters.seconds += value;
  else {
    counters.requests += value;
    if (/^5\d\d$/.test(labels.get("status") ?? "")) counters.serverErrors += value;
  }
  return true;
}

function addToBucket({ buckets }: RequestCounters, le: string | undefined, value: number): boolean {
  const bound = readBound(le);
  if (bound === undefined) return false;
  const known = buckets[bound];
  if (known !== undefined || bound === "+Inf" || Object.keys(buckets).length < maxBuckets) buckets[bound] = (known ?? 0) + value;
  return true;
}

/** The same bound is written 5, 5.0 or 5e0. */
function readBound(le: string | undefined): string | undefined {
  if (le === "+Inf") return le;
  return le === undefined || le.trim() === "" || !Number.isFinite(Number(le)) ? undefined : String(Number(le));
}

interface Sample {
  labels: Map<string, string>;
  value: number;
}

/** Of a line without its name, such as `{le="0.1",route="/"} 3`; a time stamp or an exemplar may follow. */
function readSample(line: string): Sample | undefined {
  const labels = new Map<string, string>();
  let end = 0;
  if (line.startsWith("{")) {
    // Each match begins where the one before has ended: a value may hold braces, commas and escaped quotes.
    const label = /\s*([A-Za-z_]\w*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*,?/y;
    label.lastIndex = end = 1;
    for (let match = label.exec(line); match !== null; match = label.exec(line)) {
      labels.set(match[1] ?? "", match[2] ?? "");
      end = label.lastIndex;
    }
    const close = /\s*\}/y;
    close.lastIndex = end;
    if (!close.test(line)) return undefined;
    end = close.lastIndex;
  }
  const value = /^\s*(\S+)(?:\s|$)/.exec(line.slice(end))?.[1];
  // Number() takes more than a number here may be; what counts requests or seconds is finite and not negative.
  if (value === undefined || !/^[\d.]+(?:[eE][+-]?\d+)?$/.test(value)) return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? { labels, value: number } : undefined;
}
