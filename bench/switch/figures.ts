import { otherColor, type Color } from "@bluegreen/release/app/color";
import type { Cell } from "../../local/load/generator/lines";
import { requestClients, type RequestClient } from "../../local/load/generator/options";
import { Histogram } from "../../local/load/histogram";
import { ways, type Way } from "./plan";

/** One switch as it was commanded. Times in milliseconds since 1970. */
export interface Switch {
  way: Way;
  to: Color;
  startedAt: number;
  /** When the command returned. */
  endedAt: number;
  /** When the next thing was done. */
  until: number;
}

/** Milliseconds; undefined where nothing was answered. */
export interface Latency {
  requests: number;
  p50: number | undefined;
  p99: number | undefined;
  p999: number | undefined;
}

/** What one kind of client got, or all of them, by one way. */
export interface Row {
  client: RequestClient | "all";
  requests: number;
  failures: number;
  /** While nothing was done and all were on one color. */
  steady: Latency;
  /** While the command ran, other than below. */
  command: Latency;
  /**
   * From the second of the first answer by the new color to that of the last one by the old color to a new
   * connection, two seconds at least.
   */
  moving: Latency;
  /**
   * p99 while moving, as a multiple of steady: of all switches together, and the median of each by itself.
   */
  ratio: number | undefined;
  ratioMedian: number | undefined;
  /** From the first answer by the new color to the last one by the old, for each switch. */
  lastOldMs: number[];
}

export interface WayFigures {
  way: Way;
  commandMs: number[];
  rows: Row[];
}

export interface Failure {
  /** Undefined between the switches that are measured. */
  way: Way | undefined;
  client: Cell["client"];
  text: string;
  count: number;
}

export interface SwitchFigures {
  /** All that were sent, and all that failed, whenever. */
  requests: number;
  failed: number;
  ways: WayFigures[];
  /** Cuts of the open stream as well. */
  failures: Failure[];
}

type Phase = "steady" | "command" | "moving";

/** @throws Error where users did not come to the color of a switch: nothing was measured then */
export function figuresOf(cells: Cell[], switches: Switch[]): SwitchFigures {
  const seen = switches.map((each) => observe(each, cells));
  const requests = cells.filter(isRequest);
  return {
    requests: countOf(requests),
    failed: countOf(requests.filter(isFailed)),
    ways: ways.flatMap((way) => {
      const own = seen.filter((each) => each.way === way);
      if (own.length === 0) return [];
      const clients = requestClients.filter((client) =>
        own.some(({ requests: all }) => all.some((cell) => cell.client === client)),
      );
      return {
        way,
        commandMs: own.map(({ startedAt, endedAt }) => endedAt - startedAt),
        rows: [...clients, "all" as const].map((client) => rowOf(client, own)),
      };
    }),
    failures: failuresOf(cells, switches),
  };
}

/** A switch with what was seen of it. */
interface SeenSwitch extends Switch {
  requests: Cell[];
  /** When the new color answered first. */
  flipAt: number;
  phaseOf: (second: number) => Phase | undefined;
}

function observe(each: Switch, cells: Cell[]): SeenSwitch {
  const { way, to, startedAt, endedAt } = each;
  const requests = cells.filter((cell) => isRequest(cell) && isWithin(each, cell));
  const byNew = requests.filter(
    ({ color, failure, firstAt }) => color === to && failure === "" && firstAt >= startedAt,
  );
  if (byNew.length === 0)
    throw new Error(
      `No answer by ${to} after a switch to it by ${way}, at ${new Date(startedAt).toISOString()}: was the load over?`,
    );
  const flipAt = byNew.reduce((first, { firstAt }) => Math.min(first, firstAt), Infinity);
  const byOld = requests.filter(({ color }) => color === otherColor(to));
  const moving = {
    from: secondOf(flipAt),
    to: Math.max(secondOf(flipAt) + 1, secondOf(lastOf(byOld.filter(({ client }) => client === "short")))),
  };
  const quietAt = Math.max(endedAt, lastOf(byOld)) + 1000;
  const phaseOf = (second: number): Phase | undefined => {
    if (second >= moving.from && second <= moving.to) return "moving";
    if (second * 1000 >= quietAt) return "steady";
    return second * 1000 >= startedAt && (second + 1) * 1000 <= endedAt ? "command" : undefined;
  };
  return { ...each, requests, flipAt, phaseOf };
}

function rowOf(client: Row["client"], switches: SeenSwitch[]): Row {
  const pooled = { steady: new Histogram(), command: new Histogram(), moving: new Histogram() };
  const ratios: number[] = [];
  const lastOldMs: number[] = [];
  const all: Cell[] = [];
  for (const { to, requests, flipAt, phaseOf } of switches) {
    const own = requests.filter((cell) => client === "all" || cell.client === client);
    const each = { steady: new Histogram(), command: new Histogram(), moving: new Histogram() };
    for (const { second, buckets } of own) {
      const phase = phaseOf(second);
      if (phase === undefined) continue;
      each[phase].add(buckets);
      pooled[phase].add(buckets);
    }
    ratios.push(...defined(ratioOf(each)));
    lastOldMs.push(Math.max(0, lastOf(own.filter(({ color }) => color === otherColor(to))) - flipAt));
    all.push(...own);
  }
  return {
    client,
    requests: countOf(all),
    failures: countOf(all.filter(isFailed)),
    steady: latencyOf(pooled.steady),
    command: latencyOf(pooled.command),
    moving: latencyOf(pooled.moving),
    ratio: ratioOf(pooled),
    ratioMedian: median(ratios),
    lastOldMs,
  };
}

function failuresOf(cells: Cell[], switches: Switch[]): Failure[] {
  const failures = new Map<string, Failure>();
  for (const cell of cells.filter(isFailed)) {
    const { client, failure: text, count } = cell;
    const way = switches.find((each) => isWithin(each, cell))?.way;
    const key = [way, client, text].join("\n");
    failures.set(key, { way, client, text, count: count + (failures.get(key)?.count ?? 0) });
  }
  return [...failures.values()].sort((a, b) => b.count - a.count);
}

/** Each second belongs to one switch at the most. */
function isWithin({ startedAt, until }: Switch, { second }: Cell): boolean {
  return second >= secondOf(startedAt) && second < secondOf(until);
}

function isRequest({ client }: Cell): boolean {
  return client !== "stream";
}

function isFailed({ failure }: Cell): boolean {
  return failure !== "";
}

function latencyOf(histogram: Histogram): Latency {
  return {
    requests: histogram.size,
    p50: histogram.quantile(0.5),
    p99: histogram.quantile(0.99),
    p999: histogram.quantile(0.999),
  };
}

function ratioOf({ moving, steady }: Record<"moving" | "steady", Histogram>): number | undefined {
  const [of, to] = [moving.quantile(0.99), steady.quantile(0.99)];
  return of === undefined || to === undefined ? undefined : of / to;
}

/** The lower one of two in the middle; undefined without values. */
export function median(values: number[]): number | undefined {
  return [...values].sort((a, b) => a - b)[Math.ceil(values.length / 2) - 1];
}

function secondOf(ms: number): number {
  return Math.floor(ms / 1000);
}

/** 0 where there is none. */
function lastOf(cells: Cell[]): number {
  return cells.reduce((last, { lastAt }) => Math.max(last, lastAt), 0);
}

function countOf(cells: Cell[]): number {
  return cells.reduce((sum, { count }) => sum + count, 0);
}

function defined<T>(value: T | undefined): T[] {
  return value === undefined ? [] : [value];
}
