import { colors, type Color } from "@bluegreen/release/app/color";
import type { Client, LoadLog, Sample } from "./samples";

/** Those of a load as `npm start` has it. */
const clients = ["short", "keep-alive", "stream"] as const satisfies Client[];

/** A command that was given while the load ran. Its phase lasts until the next one is given. */
export interface Mark {
  title: string;
  /** When the command was given and when it returned, in milliseconds since 1970. */
  startedAt: number;
  endedAt: number;
}

/** Milliseconds from the command to the first and the last answer of a color; undefined when it gave none. */
export interface Span {
  firstMs: number;
  lastMs: number;
}

export interface ClientFigures {
  client: Client;
  /** Requests, or events of the stream. */
  requests: number;
  failures: number;
  /** Those that did not fail, by the color that gave them. */
  answers: Record<Color, number>;
  /** Latency; undefined for the stream, and where nothing was answered. */
  p50Ms: number | undefined;
  p99Ms: number | undefined;
  spans: Record<Color, Span | undefined>;
}

export interface PhaseFigures {
  title: string;
  /** When the command was given, in milliseconds since 1970. */
  startedAt: number;
  commandMs: number;
  clients: ClientFigures[];
}

export interface Figures {
  /** Requests of the short and keep-alive clients. */
  requests: number;
  /** Of all clients, the stream included. */
  failures: number;
  failureTexts: { text: string; client: Client; count: number }[];
  stream: { events: number; reconnects: number; cut: number };
  total: ClientFigures[];
  phases: PhaseFigures[];
  /** Of the requests that did not fail. */
  seconds: SecondFigures[];
}

/** What a color answered in one second. */
export interface SecondFigures {
  /** Since 1970. */
  second: number;
  color: Color;
  requests: number;
  p50Ms: number | null;
  p99Ms: number | null;
}

/** The figures of a load that has ended, for the commands that were given meanwhile. */
export function figuresOf(log: LoadLog, marks: Mark[]): Figures {
  const { samples, reconnects } = log;
  const start = samples.reduce((first, { at }) => Math.min(first, at), Infinity);
  const total = clients.map((client) => clientFigures(client, samples, start));
  const stream = total.find(({ client }) => client === "stream");
  return {
    requests: total
      .filter(({ client }) => client !== "stream")
      .reduce((sum, { requests }) => sum + requests, 0),
    failures: total.reduce((sum, { failures }) => sum + failures, 0),
    failureTexts: failureTexts(samples),
    stream: { events: stream?.requests ?? 0, reconnects, cut: stream?.failures ?? 0 },
    total,
    phases: marks.map(({ title, startedAt, endedAt }, index) => {
      const until = marks[index + 1]?.startedAt ?? Infinity;
      const within = samples.filter(({ at }) => at >= startedAt && at < until);
      return {
        title,
        startedAt,
        commandMs: endedAt - startedAt,
        clients: clients.map((client) => clientFigures(client, within, startedAt)),
      };
    }),
    seconds: secondsOf(samples),
  };
}

/** Of both colors in every second between the first answer and the last: none are a figure, too. */
function secondsOf(samples: Sample[]): SecondFigures[] {
  const latencies = new Map<string, number[]>();
  const key = (second: number, color: Color) => `${second} ${color}`;
  let [first, last] = [Infinity, -Infinity];
  for (const { at, client, color, latencyMs, failure } of samples) {
    if (client === "stream" || color === undefined || latencyMs === undefined || failure !== undefined)
      continue;
    const second = Math.floor(at / 1000);
    [first, last] = [Math.min(first, second), Math.max(last, second)];
    const known = latencies.get(key(second, color));
    if (known === undefined) latencies.set(key(second, color), [latencyMs]);
    else known.push(latencyMs);
  }
  const all = Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
  return all.flatMap((second) =>
    colors.map((color): SecondFigures => {
      const sorted = (latencies.get(key(second, color)) ?? []).sort((a, b) => a - b);
      return {
        second,
        color,
        requests: sorted.length,
        p50Ms: percentile(sorted, 0.5) ?? null,
        p99Ms: percentile(sorted, 0.99) ?? null,
      };
    }),
  );
}

function clientFigures(client: Client, all: Sample[], since: number): ClientFigures {
  const samples = all.filter((sample) => sample.client === client);
  const failures = samples.filter(({ failure }) => failure !== undefined).length;
  const latencies = samples.flatMap(({ latencyMs }) => latencyMs ?? []).sort((a, b) => a - b);
  const [blue, green] = colors.map((color) =>
    samples
      .filter((sample) => sample.color === color && sample.failure === undefined)
      .map(({ at }) => at - since),
  );
  return {
    client,
    // A cut is not a message that came.
    requests: client === "stream" ? samples.length - failures : samples.length,
    failures,
    answers: { blue: blue?.length ?? 0, green: green?.length ?? 0 },
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    spans: { blue: spanOf(blue), green: spanOf(green) },
  };
}

function spanOf(times: number[] = []): Span | undefined {
  if (times.length === 0) return undefined;
  return { firstMs: times.reduce((a, b) => Math.min(a, b)), lastMs: times.reduce((a, b) => Math.max(a, b)) };
}

/** The nearest-rank percentile of sorted values. */
function percentile(sorted: number[], share: number): number | undefined {
  return sorted[Math.ceil(sorted.length * share) - 1];
}

function failureTexts(samples: Sample[]): Figures["failureTexts"] {
  const counts = new Map<string, Figures["failureTexts"][number]>();
  for (const { failure: text, client } of samples) {
    if (text === undefined) continue;
    const key = `${client} ${text}`;
    const known = counts.get(key) ?? { text, client, count: 0 };
    counts.set(key, { ...known, count: known.count + 1 });
  }
  return [...counts.values()].sort((a, b) => b.count - a.count);
}
