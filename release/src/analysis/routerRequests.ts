import type { Color } from "../app/color.js";
import type { RequestSeries } from "../app/requestSeries.js";
import { fetchText, NoAnswerError } from "../util/fetchText.js";
import type { AnalysisLimits } from "./limits.js";
import { askVector, type Series } from "./prometheus.js";
import { countRequests, maxMetricsBytes, readRequestCounters } from "./requestMetrics.js";
import { errorStatusDefault, type Naming } from "./metricsSource.js";
import { noRequests, type RequestCounters } from "./requestCounters.js";
import type { CountedPod, RouterObservation } from "./observation.js";

const timeoutMs = 5000;

/**
 * Asks for a color's requests where they are led to it: of an app without metrics this is all there is. What
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
