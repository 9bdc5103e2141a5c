import { z } from "zod";
import { otherColor, type Color } from "../app/color.js";
import { fetchText, NoAnswerError, type FetchBounds } from "../util/http.js";
import { mapBounded } from "../util/mapBounded.js";
import { parseJson } from "../util/json.js";
import type { PrometheusQuery, AnalysisLimits } from "./limits.js";

/** The answer to a query and what it is held to, or why there is none. */
export type QueryObservation = Omit<PrometheusQuery, "query"> &
  ({ value: number; smallest?: number; reference?: number } | { noData: string });

/** One series of a vector. */
export interface Series {
  labels: ReadonlyMap<string, string>;
  value: number;
}

/** Room for a vector of thousands; a query that gives more is not meant to be analyzed. */
const bounds: FetchBounds = { maxBytes: 1024 * 1024, timeoutMs: 5000 };
const atOnce = 4;

/** [seconds, value]; the value is text, because JSON has no NaN. */
const point = z.tuple([z.number(), z.string()]);
const answer = z.object({
  status: z.literal("success"),
  data: z.discriminatedUnion("resultType", [
    z.object({ resultType: z.literal("scalar"), result: point }),
    z.object({
      resultType: z.literal("vector"),
      result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: point })),
    }),
  ]),
});

/** Stands in a query for the color that it is asked about. */
const colorPlaceholder = "{{color}}";

/** Asks every query once, of a color. What cannot be had is no data. */
export function askPrometheus(
  { prometheusUrl, prometheusQueries }: Pick<AnalysisLimits, "prometheusUrl" | "prometheusQueries">,
  color: Color,
  signal: AbortSignal,
): Promise<QueryObservation[]> {
  if (prometheusUrl === "") return Promise.resolve([]);
  return mapBounded(prometheusQueries, atOnce, async ({ query, ...held }) => {
    const of = (each: Color) => ask(prometheusUrl, query.replaceAll(colorPlaceholder, each), signal);
    const [found, beside] = await Promise.all([
      of(color),
      held.comparedWith === "idle" && held.maxTimes !== undefined ? of(otherColor(color)) : undefined,
    ]);
    if ("noData" in found) return { ...held, ...found };
    return {
      ...held,
      value: Math.max(...found.values),
      ...(held.min !== undefined && { smallest: Math.min(...found.values) }),
      ...(beside !== undefined && "values" in beside && { reference: Math.max(...beside.values) }),
    };
  });
}

async function ask(
  base: string,
  query: string,
  signal: AbortSignal,
): Promise<{ values: number[] } | { noData: string }> {
  const found = await askVector(base, query, { ...bounds, signal });
  if ("noData" in found) return found;
  // NaN and +Inf are what a division by no requests gives.
  const values = found.series.map(({ value }) => value).filter(Number.isFinite);
  if (values.length > 0) return { values };
  return { noData: found.series.length === 0 ? "the query found no series" : "the query gave no number" };
}

/** All that a query finds at this moment; a scalar is one series without labels. */
export async function askVector(
  base: string,
  query: string,
  within: FetchBounds,
): Promise<{ series: Series[] } | { noData: string }> {
  try {
    const { status, text } = await fetchText(queryUrl(base, query), within);
    return status === 200 ? readVector(text) : { noData: `Prometheus answers ${status}` };
  } catch (error) {
    if (error instanceof NoAnswerError) return { noData: error.message };
    throw error;
  }
}

/** Prometheus may be served below a path, and behind a proxy that wants parameters. */
function queryUrl(base: string, query: string): string {
  const url = URL.parse(base);
  if (url === null) return base;
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/api/v1/query`;
  url.searchParams.set("query", query);
  return url.href;
}

function readVector(text: string): { series: Series[] } | { noData: string } {
  const parsed = answer.safeParse(parseJson(text));
  if (!parsed.success) return { noData: "the answer is not a scalar or a vector of Prometheus" };
  const { data } = parsed.data;
  const all = data.resultType === "scalar" ? [{ metric: {}, value: data.result }] : data.result;
  return {
    series: all.map(({ metric, value: [, value] }) => ({
      labels: new Map(Object.entries(metric)),
      value: Number(value),
    })),
  };
}
