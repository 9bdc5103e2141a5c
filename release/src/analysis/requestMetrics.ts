import type { Color } from "../app/color.js";
import type { RequestSeries } from "../app/requestSeries.js";
import { fetchText, NoAnswerError } from "../util/http.js";
import { errorStatusDefault, type Naming, type SeriesFilter, type AnalysisLimits } from "./limits.js";
import type { CountedPod, RouterObservation } from "./observation.js";
import { askVector, type Series } from "./prometheus.js";
import { CounterReader, noRequests, type Sample, type RequestCounters } from "./requestCounters.js";

/**
 * The largest text that is read. 14 lines of some 110 bytes a series: room for 2,500 pairs of route and
 * status, where the histograms of a large app have some hundred.
 */
export const maxMetricsBytes = 4 * 1024 * 1024;

/**
 * Four times the lines that fit there at their usual length: a text of empty lines costs no more than a full
 * one.
 */
const maxLines = 4 * (maxMetricsBytes / 110);

/**
 * Reads the requests from one pod's metrics, over all methods, and all paths but those for probes and metrics.
 * Never throws. The text may come in parts, of which none is kept: of a thousand pods with large metrics a few are
 * in memory at a time, and of each of them a line.
 */
export class RequestText {
  private readonly reader: CounterReader;
  private lines = 0;
  /** The beginning of a line whose end has not come yet. */
  private rest = "";

  /** @param wanted labels of the series that count */
  constructor(source: Naming, wanted: SeriesFilter = {}) {
    this.reader = new CounterReader(source, wanted);
  }

  /** @param part in Prometheus' text format, or whatever the pod answered */
  readonly add = (part: string): void => {
    const text = this.rest + part;
    let start = 0;
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", start)) {
      this.line(text, start, end);
      start = end + 1;
    }
    this.rest = text.slice(start);
  };

  /**
   * @returns undefined when there is no such metric in it, or more than can be read: that is not zero requests.
   * A part is never taken for the whole: figures would seem to have fallen, as they do when a pod starts again.
   */
  counters(): RequestCounters | undefined {
    if (this.rest !== "") this.line(this.rest, 0, this.rest.length);
    this.rest = "";
    return this.lines > maxLines ? undefined : this.reader.counters();
  }

  private line(text: string, start: number, end: number): void {
    this.lines++;
    // Most lines of an app's metrics are about something else.
    if (this.lines <= maxLines && this.reader.mayKnow(text, start)) this.reader.add(text.slice(start, end));
  }
}

/** The same, of a whole text. */
export function readRequestCounters(
  text: string,
  source: Naming,
  wanted?: SeriesFilter,
): RequestCounters | undefined {
  const requests = new RequestText(source, wanted);
  requests.add(text);
  return requests.counters();
}

/**
 * The same, of samples that somebody else has read.
 * @returns undefined where none of them counts requests
 */
function countRequests(
  samples: readonly { metric: string; sample: Sample }[],
  source: Naming,
  wanted: SeriesFilter,
): RequestCounters | undefined {
  const reader = new CounterReader(source, wanted);
  for (const { metric, sample } of samples) reader.take(metric, sample);
  return reader.counters();
}

const timeoutMs = 5000;

/**
 * Asks for a color's requests where they are routed to it: of an app without metrics this is all there is. What
 * cannot be had is no data, and never against the version.
 * @returns undefined where config wants the figures of the pods alone
 */
export async function askRouter(
  {
    series,
    prometheusUrl,
    routerMetricsUrl,
  }: Pick<AnalysisLimits, "series" | "prometheusUrl" | "routerMetricsUrl">,
  color: Color,
  signal: AbortSignal,
): Promise<RouterObservation | undefined> {
  if (series === null) return undefined;
  try {
    return routerMetricsUrl === ""
      ? await fromPrometheus(series, color, prometheusUrl, signal)
      : await fromRouter(series, color, routerMetricsUrl, signal);
  } catch (error) {
    if (error instanceof NoAnswerError) return { noData: error.message };
    throw error;
  }
}

/** One instance of it: another one behind the same address would seem to have counted less. */
async function fromRouter(
  series: RequestSeries,
  color: Color,
  url: string,
  signal: AbortSignal,
): Promise<RouterObservation> {
  const { status, text } = await fetchText(url, { maxBytes: maxMetricsBytes, timeoutMs, signal });
  if (status !== 200) return { noData: `the router's metrics answer ${status}` };
  const counters = readRequestCounters(text, namingOf(series), series.labels[color]);
  return { counted: [instance("router", counters)] };
}

async function fromPrometheus(
  series: RequestSeries,
  color: Color,
  url: string,
  signal: AbortSignal,
): Promise<RouterObservation> {
  const query = queryFor(series, color);
  const found = await askVector(url, query, { maxBytes: maxMetricsBytes, timeoutMs, signal });
  if ("noData" in found) return found;
  const instances = new Map<string, Series[]>();
  for (const each of found.series) {
    const name = `${each.labels.get("instance") ?? ""} ${each.labels.get("pod") ?? ""}`;
    const known = instances.get(name);
    if (known === undefined) instances.set(name, [each]);
    else known.push(each);
  }
  return {
    counted: [...instances].map(([name, all]) =>
      instance(name, countRequests(all.map(asSample), namingOf(series), series.labels[color])),
    ),
  };
}

/** The first label tells most; by the others it is looked for here, where one may have either of two names. */
function queryFor({ name, counter, labels }: RequestSeries, color: Color): string {
  const [label = "", value = ""] = Object.entries(labels[color])[0] ?? [];
  const metrics = `${name}_(count|sum|bucket)${counter === undefined ? "" : `|${counter}`}`;
  const selector = (of: string) => `{__name__=~"${metrics}",${of}=~${JSON.stringify(value)}}`;
  return `${selector(label)} or ${selector(`exported_${label}`)}`;
}

function asSample({ labels, value }: Series) {
  return { metric: labels.get("__name__") ?? "", sample: { labels, value } };
}

function instance(name: string, counters: RequestCounters = noRequests): CountedPod {
  return { name, answered: true, counters };
}

function namingOf(series: RequestSeries): Naming {
  return { ...series, errorStatus: errorStatusDefault, pathLabel: "", ownPaths: [] };
}
