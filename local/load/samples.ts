import { isColor, type Color } from "@bluegreen/release/app/color";
import type { Cell, Line } from "./generator/lines";
import type { RequestClient } from "./generator/options";

export type Client = RequestClient | "stream";

/** One answer to one request, or one event of the open stream. */
export interface Sample {
  /** When it came, in milliseconds since 1970. */
  at: number;
  client: Client;
  /** Undefined when whatever came does not say. */
  color: Color | undefined;
  /** From the moment the request was due; events of the stream have none. */
  latencyMs: number | undefined;
  /** Why it counts as failed; undefined when it does not. */
  failure: string | undefined;
}

/** What a load has printed up to now. */
export interface LoadLog {
  ready: boolean;
  /** Of a load that prints each answer by itself. */
  samples: Sample[];
  /** Of one that counts them by the second. */
  cells: Cell[];
  /** How often the stream was opened again. */
  reconnects: number;
  /** How many requests were sent; undefined until the load has ended. */
  sent: number | undefined;
}

/**
 * Reads the lines of a load, or of a part of it.
 * @throws when a line between two others is missing
 */
export function readLines(text: string): LoadLog {
  const log: LoadLog = { ready: false, samples: [], cells: [], reconnects: 0, sent: undefined };
  let last: number | undefined;
  for (const line of text.split("\n").map(parseLine)) {
    if (line === undefined) continue;
    if (line.type === "ready") {
      log.ready = true;
      continue;
    }
    const expected: number | undefined =
      last === undefined ? undefined : line.type === "end" ? last : last + 1;
    if (expected !== undefined && line.seq !== expected)
      throw new Error(
        `The load's log is not complete: line ${String(line.seq)} follows line ${String(last)}. Run it again.`,
      );
    last = line.seq;
    if (line.type === "end") log.sent = line.sent;
    else {
      log.reconnects = line.reconnects;
      if (line.type === "batch") log.samples.push(...samplesOf(line));
      else log.cells.push(...line.cells);
    }
  }
  return log;
}

function samplesOf({ from, answers, events, cuts }: Extract<Line, { type: "batch" }>): Sample[] {
  return [
    ...answers.map(([at, latencyMs, client, color, failure]) => ({
      at: from + at,
      client,
      color: colorOf(color),
      latencyMs,
      failure: failure === "" ? undefined : failure,
    })),
    ...events.map(([at, color]) => ({
      at: from + at,
      client: "stream" as const,
      color: colorOf(color),
      latencyMs: undefined,
      failure: undefined,
    })),
    ...cuts.map((failure) => ({
      at: from,
      client: "stream" as const,
      color: undefined,
      latencyMs: undefined,
      failure,
    })),
  ];
}

/** How many requests the log says the end of. */
export function requestsIn({ samples, cells }: LoadLog): number {
  const counted = cells
    .filter(({ client }) => client !== "stream")
    .reduce((sum, { count }) => sum + count, 0);
  return samples.filter(({ client }) => client !== "stream").length + counted;
}

/** When each color answered last. */
export function lastAnswers({ samples, cells }: LoadLog): Map<Color, number> {
  const last = new Map<Color, number>();
  for (const { color, at } of [
    ...samples,
    ...cells.map((cell) => ({ color: colorOf(cell.color), at: cell.lastAt })),
  ]) {
    if (color !== undefined) last.set(color, Math.max(at, last.get(color) ?? 0));
  }
  return last;
}

function colorOf(text: string): Color | undefined {
  return isColor(text) ? text : undefined;
}

/** Undefined for what is not one of the generator's lines: an incomplete one, or a warning of Node.js. */
function parseLine(text: string): Line | undefined {
  if (!text.startsWith('{"type":')) return undefined;
  try {
    return JSON.parse(text) as Line; // our own program's line
  } catch {
    return undefined;
  }
}
