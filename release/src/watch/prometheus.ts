import { z } from "zod";
import { fetchText, NoAnswerError, type FetchBounds } from "../fetchText.js";
import { mapBounded } from "../mapBounded.js";
import { parseJson } from "../parseJson.js";
import type { WatchLimits } from "./limits.js";

/** The answer to a query, or why there is none. */
export type QueryReading = { name: string; max: number } & ({ value: number } | { noData: string });

/** Room for a vector of thousands; a query that gives more is not meant to be watched. */
const bounds: FetchBounds = { maxBytes: 1024 * 1024, timeoutMs: 5000 };
const atOnce = 4;

/** [seconds, value]; the value is text, because JSON has no NaN. */
const point = z.tuple([z.number(), z.string()]);
const answer = z.object({
  status: z.literal("success"),
  data: z.discriminatedUnion("resultType", [
    z.object({ resultType: z.literal("scalar"), result: point }),
    z.object({ resultType: z.literal("vector"), result: z.array(z.object({ value: point })) }),
  ]),
});

/** Asks every query once. What cannot be had is no data, and never against the version. */
export function askPrometheus({ prometheusUrl, prometheusQueries }: Pick<WatchLimits, "prometheusUrl" | "prometheusQueries">, signal: AbortSignal): Promise<QueryReading[]> {
  if (prometheusUrl === "") return Promise.resolve([]);
  return mapBounded(prometheusQueries, atOnce, async ({ name, query, max }) => ({ name, max, ...(await ask(prometheusUrl, query, signal)) }));
}

async function ask(base: string, query: string, signal: AbortSignal): Promise<{ value: number } | { noData: string }> {
  try {
    const { status, text } = await fetchText(queryUrl(base, query), { ...bounds, signal });
    return status === 200 ? worstValue(text) : { noData: `Prometheus answers ${status}` };
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

function worstValue(text: string): { value: number } | { noData: string } {
  const parsed = answer.safeParse(parseJson(text));
  if (!parsed.success) return { noData: "the answer is not a scalar or a vector of Prometheus" };
  const { data } = parsed.data;
  const values = (data.resultType === "scalar" ? [data.result] : data.result.map(({ value }) => value)).map(([, value]) => Number(value));
  // NaN and +Inf are what a division by no requests gives.
  const known = values.filter((value) => Number.isFinite(value));
  if (known.length === 0) return { noData: values.length === 0 ? "the query found no series" : "the query gave no number" };
  return { value: known.reduce((worst, value) => Math.max(worst, value)) };
}
