import { isColor, type Color } from "@bluegreen/release/color";
import type { Line, RequestClient } from "./generator";

export type Client = RequestClient | "stream";

export const clients = ["short", "keep-alive", "stream"] as const satisfies readonly Client[];

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
  samples: Sample[];
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
  const log: LoadLog = { ready: false, samples: [], reconnects: 0, sent: undefined };
  let last: number | undefined;
  for (const line of text.split("\n").map(parseLine)) {
    if (line === undefined) continue;
    if (line.type === "ready") {
      log.ready = true;
      continue;
    }
    const expected: number | undefined = last === undefined ? undefined : line.type === "batch" ? last + 1 : last;
    if (expected !== undefined && line.seq !== expected) throw new Error(`The load's log is not complete: line ${String(line.seq)} follows line ${String(last)}. Run it again.`);
    last = line.seq;
    if (line.type === "end") log.sent = line.sent;
    else {
      log.reconnects = line.reconnects;
      log.samples.push(...samplesOf(line));
    }
  }
  return log;
}

function samplesOf({ from, answers, events, cuts }: Extract<Line, { type: "batch" }>): Sample[] {
  return [
    ...answers.map(([at, latencyMs, client, color, failure]) => ({ at: from + at, client, color: colorOf(color), latencyMs, failure: failure === "" ? undefined : failure })),
    ...events.map(([at, color]) => ({ at: from + at, client: "stream" as const, color: colorOf(color), latencyMs: undefined, failure: undefined })),
    ...cuts.map((failure) => ({ at: from, client: "stream" as const, color: undefined, latencyMs: undefined, failure })),
  ];
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
