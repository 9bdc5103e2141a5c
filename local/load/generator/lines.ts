import { Histogram, type Buckets } from "../histogram";
import { now, round } from "./clock";
import type { RequestClient } from "./options";

/**
 * [answered at, latency, client, value of x-app-color or "", failure or ""]; milliseconds, the first since
 * the line's `from`.
 */
export type AnswerTuple = [
  at: number,
  latency: number,
  client: RequestClient,
  color: string,
  failure: string,
];

/** [received at, value of x-app-color], of each event of the open stream. */
export type EventTuple = [at: number, color: string];

/**
 * What came of the requests that were due in one second, or of the open stream in it. Of one second there may
 * be several, to be added.
 */
export interface Cell {
  /** Since 1970. */
  second: number;
  client: RequestClient | "stream";
  /** Value of x-app-color, or "". */
  color: string;
  /** Why they count as failed, or "". */
  failure: string;
  count: number;
  /** When the first and the last of them were answered, in milliseconds since 1970. */
  firstAt: number;
  lastAt: number;
  /** Latencies; none for the stream. */
  buckets: Buckets;
}

/** What is printed: one `ready`, any number of `batch` or `seconds`, one `end`. */
export type Line =
  | { type: "ready"; from: number }
  | {
      type: "batch";
      seq: number;
      from: number;
      answers: AnswerTuple[];
      events: EventTuple[];
      cuts: string[];
      reconnects: number;
    }
  | { type: "seconds"; seq: number; cells: Cell[]; reconnects: number }
  | { type: "end"; seq: number; from: number; sent: number };

/** What came of one request. Times in milliseconds, since 1970 the first. */
export interface Outcome {
  dueAt: number;
  latencyMs: number;
  client: RequestClient;
  color: string;
  failure: string;
}

/** Collects what is seen until it is printed. */
export interface Collector {
  answer(outcome: Outcome): void;
  event(color: string): void;
  cut(why: string): void;
  /** What has come since the last time, as a line; undefined where nothing has. */
  take(seq: number, reconnects: number): Line | undefined;
}

/** Every answer by itself. */
export function collectAnswers(): Collector {
  let from = now();
  let answers: AnswerTuple[] = [];
  let events: EventTuple[] = [];
  let cuts: string[] = [];
  return {
    answer: ({ dueAt, latencyMs, client, color, failure }) =>
      answers.push([round(dueAt + latencyMs - from), round(latencyMs), client, color, failure]),
    event: (color) => events.push([round(now() - from), color]),
    cut: (why) => cuts.push(why),
    take: (seq, reconnects) => {
      if (answers.length === 0 && events.length === 0 && cuts.length === 0) return undefined;
      const line: Line = { type: "batch", seq, from, answers, events, cuts, reconnects };
      from = now();
      answers = [];
      events = [];
      cuts = [];
      return line;
    },
  };
}

/** Answers counted by the second in which they were due. */
export function collectSeconds(): Collector {
  let cells = new Map<string, Omit<Cell, "buckets"> & { latencies: Histogram }>();
  const count = (
    key: Pick<Cell, "second" | "client" | "color" | "failure">,
    at: number,
    latencyMs?: number,
  ): void => {
    const name = Object.values(key).join("\n");
    let cell = cells.get(name);
    if (cell === undefined)
      cells.set(name, (cell = { ...key, count: 0, firstAt: at, lastAt: at, latencies: new Histogram() }));
    cell.count += 1;
    cell.firstAt = Math.min(cell.firstAt, at);
    cell.lastAt = Math.max(cell.lastAt, at);
    if (latencyMs !== undefined) cell.latencies.record(latencyMs);
  };
  const stream = (color: string, failure: string): void => {
    const at = round(now());
    count({ second: Math.floor(at / 1000), client: "stream", color, failure }, at);
  };
  return {
    answer: ({ dueAt, latencyMs, client, color, failure }) => {
      count(
        { second: Math.floor(dueAt / 1000), client, color, failure },
        round(dueAt + latencyMs),
        latencyMs,
      );
    },
    event: (color) => {
      stream(color, "");
    },
    cut: (why) => {
      stream("", why);
    },
    take: (seq, reconnects) => {
      if (cells.size === 0) return undefined;
      const line: Line = {
        type: "seconds",
        seq,
        cells: [...cells.values()].map(({ latencies, ...cell }) => ({ ...cell, buckets: latencies.buckets })),
        reconnects,
      };
      cells = new Map();
      return line;
    },
  };
}
