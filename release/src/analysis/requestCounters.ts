import {
  counters,
  durations,
  pathLabels,
  statusLabels,
  unitOf,
  type Naming,
  type SeriesFilter,
} from "./limits.js";

/**
 * What one pod has counted of its requests since it started. Every figure only grows, until the pod starts
 * again.
 */
export interface RequestCounters {
  requests: number;
  /**
   * Answers with a status of 500 and more. The 503 of a write freeze (a write that came while traffic moved) is
   * among them: its status alone does not tell it from any other.
   */
  serverErrors: number;
  /** Answers with a status of 400 to 499. */
  clientErrors: number;
  /** Requests whose status the metric does not tell: they are neither errors nor successes. */
  unclassified: number;
  /** Requests whose duration is known, and what they took together. */
  timed: number;
  seconds: number;
  /** Requests that took at most so many seconds, by that bound as a decimal number or "+Inf". */
  buckets: Record<string, number>;
  /** Lines of these metrics that could not be read, and are in none of the figures. */
  malformed: number;
  /** What was read, for people: the metric's name, and the label that tells the status. */
  source: string;
}

/** What has been counted where nobody has asked yet. */
export const noRequests: RequestCounters = {
  requests: 0,
  serverErrors: 0,
  clientErrors: 0,
  unclassified: 0,
  timed: 0,
  seconds: 0,
  buckets: {},
  malformed: 0,
  source: "",
};

/** Client libraries write 11 to 20. Beyond that, left out bounds make the percentile coarser, never wrong. */
const maxBuckets = 64;

/** What one metric says. */
interface Counted {
  requests: number;
  serverErrors: number;
  clientErrors: number;
  unclassified: number;
  seconds: number;
  buckets: Record<string, number>;
  malformed: number;
  /** The label that told a status. */
  statusLabel: string | undefined;
}

type Figure = "count" | "sum" | "bucket";

export class CounterReader {
  private readonly found = new Map<string, Counted>();
  private readonly durations: ReadonlyMap<string, number>;
  private readonly counter: string | undefined;
  private readonly names: readonly string[];
  private readonly statusLabels: readonly string[];
  private readonly pathLabels: readonly string[];
  private readonly isError: RegExp;
  private readonly ownPaths: ReadonlySet<string>;
  private readonly wanted: readonly (readonly [string, RegExp])[];

  constructor(source: Naming, wanted: SeriesFilter) {
    const { name, unit, counter, statusLabel, errorStatus, pathLabel, ownPaths } = source;
    this.durations = name === "" ? durations : new Map([[name, unit ?? durations.get(name) ?? unitOf(name)]]);
    this.counter = counter;
    // A counter with the name of one that has a status is better than a duration without.
    this.names =
      name === "" ? [...durations.keys(), ...counters] : [name, ...(counter === undefined ? [] : [counter])];
    this.statusLabels = statusLabel === "" ? statusLabels : [statusLabel];
    this.pathLabels = pathLabel === "" ? pathLabels : [pathLabel];
    this.isError = new RegExp(`^(?:${errorStatus})$`, "i");
    this.ownPaths = new Set(ownPaths);
    this.wanted = Object.entries(wanted).map(([label, value]) => [label, new RegExp(`^(?:${value})$`)]);
  }

  /** Quick, and right where it says no. */
  mayKnow(text: string, at: number): boolean {
    const from = text.startsWith("# TYPE ", at) ? at + "# TYPE ".length : at;
    return this.names.some((name) => text.startsWith(name, from));
  }

  add(line: string): void {
    if (line.startsWith("# TYPE ")) {
      // A metric with labels and without a request has a type and no figures.
      const [, , name = ""] = line.split(" ");
      if (this.names.includes(name)) this.of(name);
      return;
    }
    const metric = metricOf(line);
    if (metric !== undefined) this.take(metric, () => readSample(line.slice(metric.length)));
  }

  /** @param sample read only where the metric counts requests; undefined where it makes no sense */
  take(metric: string, sample: Sample | (() => Sample | undefined)): void {
    const known = this.figureOf(metric);
    if (known === undefined) return;
    const read = typeof sample === "function" ? sample() : sample;
    if (read !== undefined && !this.isWanted(read)) return;
    const counted = this.of(known.name);
    if (read === undefined || !this.addSample(counted, known.figure, read)) counted.malformed++;
  }

  /** Prometheus calls a label exported_… where what it collects from has one of that name itself. */
  private isWanted({ labels }: Sample): boolean {
    return this.wanted.every(([label, value]) =>
      value.test(labels.get(`exported_${label}`) ?? labels.get(label) ?? ""),
    );
  }

  /** Not _created of OpenMetrics, nor another metric whose name begins with the same words. */
  private figureOf(metric: string): { name: string; figure: Figure } | undefined {
    const [, name = "", figure = ""] = /^(.*)_(count|sum|bucket)$/.exec(metric) ?? [];
    if (this.durations.has(name) && figure !== "") return { name, figure: figure as Figure };
    return metric === this.counter || (this.names.includes(metric) && metric.endsWith("_total"))
      ? { name: metric, figure: "count" }
      : undefined;
  }

  private of(name: string): Counted {
    const counted = this.found.get(name) ?? {
      requests: 0,
      serverErrors: 0,
      clientErrors: 0,
      unclassified: 0,
      seconds: 0,
      buckets: {},
      malformed: 0,
      statusLabel: undefined,
    };
    this.found.set(name, counted);
    return counted;
  }

  /** @returns false when it makes no sense */
  private addSample(counted: Counted, figure: Figure, { labels, value }: Sample): boolean {
    if (this.pathLabels.some((label) => this.ownPaths.has(labels.get(label) ?? ""))) return true;
    if (figure === "bucket") return addToBucket(counted, labels.get("le"), value);
    if (figure === "sum") {
      counted.seconds += value;
      return true;
    }
    counted.requests += value;
    const label = this.statusLabels.find((each) => labels.has(each));
    const status = label === undefined ? "" : (labels.get(label) ?? "");
    if (label !== undefined && this.isError.test(status)) counted.serverErrors += value;
    else if (/^4(\d\d|xx)$/i.test(status)) counted.clientErrors += value;
    else if (label === undefined || !this.tells(status)) {
      counted.unclassified += value;
      return true;
    }
    counted.statusLabel ??= label;
    return true;
  }

  /** A status, or what a person has said to be one: `result="ok"`. */
  private tells(status: string): boolean {
    return /^[1-5](\d\d|xx)$/i.test(status) || (this.statusLabels.length === 1 && status !== "");
  }

  counters(): RequestCounters | undefined {
    const all = this.names.flatMap((name) => {
      const counted = this.found.get(name);
      return counted === undefined ? [] : [{ name, ...counted }];
    });
    const timed = all.find(
      ({ name, requests, buckets }) =>
        this.durations.has(name) && (requests > 0 || Object.keys(buckets).length > 0),
    );
    // Errors are told best by the metric that times requests, too: both are of the same requests then.
    const counting = all.find(({ statusLabel }) => statusLabel !== undefined) ?? timed ?? all[0];
    if (counting === undefined) return undefined;
    const unit = timed === undefined ? 1 : (this.durations.get(timed.name) ?? 1);
    return {
      requests: counting.requests,
      serverErrors: counting.serverErrors,
      clientErrors: counting.clientErrors,
      unclassified: counting.unclassified,
      timed: timed?.requests ?? 0,
      seconds: (timed?.seconds ?? 0) / unit,
      buckets: Object.fromEntries(
        Object.entries(timed?.buckets ?? {}).map(([bound, count]) => [
          bound === "+Inf" ? bound : String(Number(bound) / unit),
          count,
        ]),
      ),
      malformed: all.reduce((sum, { malformed }) => sum + malformed, 0),
      source: [
        counting.statusLabel === undefined ? counting.name : `${counting.name} by ${counting.statusLabel}`,
        ...(timed !== undefined && timed.name !== counting.name ? [timed.name] : []),
      ].join(", "),
    };
  }
}

function addToBucket({ buckets }: Counted, le: string | undefined, value: number): boolean {
  const bound = readBound(le);
  if (bound === undefined) return false;
  const known = buckets[bound];
  if (known !== undefined || bound === "+Inf" || Object.keys(buckets).length < maxBuckets)
    buckets[bound] = (known ?? 0) + value;
  return true;
}

/** The same bound is written 5, 5.0 or 5e0. */
function readBound(le: string | undefined): string | undefined {
  if (le === "+Inf") return le;
  return le === undefined || le.trim() === "" || !Number.isFinite(Number(le))
    ? undefined
    : String(Number(le));
}

/** One line of Prometheus' text format, without its name. */
export interface Sample {
  labels: ReadonlyMap<string, string>;
  value: number;
}

/**
 * Ten times what a line with long routes takes. The pattern for labels must not be given more than it can
 * take back.
 */
const maxLineLength = 16 * 1024;

/** The name of a line's metric; undefined for a comment, or what is none. */
function metricOf(line: string): string | undefined {
  return /^[A-Za-z_:][\w:]*/.exec(line)?.[0];
}

/**
 * Of a line's rest after the name, such as `{le="0.1",route="/"} 3`; a time stamp or an exemplar may follow.
 * @returns undefined when it makes no sense, or is not what counts requests or seconds: finite and not negative
 */
function readSample(rest: string): Sample | undefined {
  if (rest.length > maxLineLength) return undefined;
  const labels = new Map<string, string>();
  let end = 0;
  if (rest.startsWith("{")) {
    // Each match begins where the one before has ended: a value may hold braces, commas and escaped quotes.
    const label = /\s*([A-Za-z_]\w*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*,?/y;
    label.lastIndex = end = 1;
    for (let match = label.exec(rest); match !== null; match = label.exec(rest)) {
      labels.set(match[1] ?? "", match[2] ?? "");
      end = label.lastIndex;
    }
    const close = /\s*\}/y;
    close.lastIndex = end;
    if (!close.test(rest)) return undefined;
    end = close.lastIndex;
  }
  const value = /^\s*(\S+)(?:\s|$)/.exec(rest.slice(end))?.[1];
  // Number() takes more than a number here may be.
  if (value === undefined || !/^[\d.]+(?:[eE][+-]?\d+)?$/.test(value)) return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? { labels, value: number } : undefined;
}
