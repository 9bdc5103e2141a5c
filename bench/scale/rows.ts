import { newTable } from "../../cli/table";
import { total, type RequestCounts } from "../../local/testing/countedApi";
import type { PartCost, AnalysisCost } from "./analysis";
import type { AppCost, CountedCost } from "./subject";

export const parts = [
  "preview",
  "switch",
  "rollback",
  "baseline of the analysis",
  "observation of the analysis",
] as const;
export type Part = (typeof parts)[number];

/** What one part of a release costs at one size. */
export interface Row {
  part: Part;
  /** How many apps there are, or pods of each color. */
  size: number;
  seconds: number;
  cpuSeconds: number;
  peakMiB: number;
  /** Lease renewals apart: they follow the clock. */
  apiRequests: number;
  /** The same, by what they ask for. */
  requests: RequestCounts;
}

/** Those that depend on nothing but what is asked. */
export function withoutLeases(requests: RequestCounts): RequestCounts {
  return Object.fromEntries(Object.entries(requests).filter(([asked]) => !asked.endsWith(" leases")));
}

export function rowsOf(size: number, { preview, switch: moved, rollback, analysis }: AppCost): Row[] {
  return [
    rowOf("preview", size, preview),
    rowOf("switch", size, moved),
    rowOf("rollback", size, rollback),
    ...analysisRows(size, analysis),
  ];
}

function analysisRows(size: number, { baseline, observation }: AnalysisCost): Row[] {
  return [
    rowOf("baseline of the analysis", size, baseline),
    rowOf("observation of the analysis", size, observation),
  ];
}

export function rowOf(
  part: Part,
  size: number,
  { requests, ...cost }: PartCost & Pick<CountedCost, "requests">,
): Row {
  const counted = withoutLeases(requests);
  return { part, size, ...cost, apiRequests: total(counted), requests: counted };
}

/** Means of rows of the same part and size. */
export function meanOf(rows: Row[]): Row {
  const [one] = rows;
  if (one === undefined) throw new Error("nothing was measured");
  const mean = (figure: (row: Row) => number) =>
    rows.reduce((sum, row) => sum + figure(row), 0) / rows.length;
  return {
    ...one,
    seconds: mean((row) => row.seconds),
    cpuSeconds: mean((row) => row.cpuSeconds),
    peakMiB: Math.max(...rows.map((row) => row.peakMiB)),
    apiRequests: mean((row) => row.apiRequests),
  };
}

/**
 * Each figure, and what comes to one pod or app of it: a cost that grows linearly at most does not rise
 * there.
 */
export function tableOf(rows: Row[], sizes: string, one: string): string {
  const table = newTable(
    [
      "",
      sizes,
      "s",
      "CPU s",
      "MiB",
      "API requests",
      `s ÷ ${one}`,
      `CPU s ÷ ${one}`,
      `MiB ÷ ${one}`,
      `requests ÷ ${one}`,
    ],
    1,
  );
  for (const part of parts) {
    for (const { size, seconds, cpuSeconds, peakMiB, apiRequests } of rows.filter(
      (row) => row.part === part,
    )) {
      table.push([
        part,
        whole(size),
        ...[seconds, cpuSeconds].map(figure),
        whole(peakMiB),
        whole(apiRequests),
        ...[seconds / size, cpuSeconds / size, peakMiB / size, apiRequests / size].map(figure),
      ]);
    }
  }
  return table.toString();
}

/** One line for whoever waits for the table. */
export function describeRow({ part, seconds, cpuSeconds, peakMiB, apiRequests }: Row): string {
  return `${part}: ${figure(seconds)} s, ${figure(cpuSeconds)} CPU s, ${whole(peakMiB)} MiB, ${whole(apiRequests)} requests`;
}

/** Three digits that matter. */
function figure(value: number): string {
  return value >= 100 ? whole(value) : value.toPrecision(value < 1 ? 2 : 3);
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}
