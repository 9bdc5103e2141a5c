import type { Sample } from "./prometheusText.js";
import { CounterReader, type RequestCounters } from "./requestCounters.js";
import type { Naming, SeriesFilter } from "./metricsSource.js";

/**
 * The largest text that is read. 14 lines of some 110 bytes a series: room for 2,500 pairs of route and
 * status, where the histograms of a large app have some hundred.
 */
export const maxMetricsBytes = 4 * 1024 * 1024;

/**
 * Four times the lines that fit there at their usual length: a text of empty lines costs no more than a full
 * one.
 */
const maxLines = 4 * (maxMetricsBytes / 110);

/**
 * Reads the requests from one pod's metrics, over all methods, and all paths but those for probes and metrics.
 * Never throws. The text may come in parts, of which none is kept: of a thousand pods with large metrics a few are
 * in memory at a time, and of each of them a line.
 */
export class RequestText {
  private readonly reader: CounterReader;
  private lines = 0;
  /** The beginning of a line whose end has not come yet. */
  private rest = "";

  /** @param wanted labels of the series that count */
  constructor(source: Naming, wanted: SeriesFilter = {}) {
    this.reader = new CounterReader(source, wanted);
  }

  /** @param part in Prometheus' text format, or whatever the pod answered */
  readonly add = (part: string): void => {
    const text = this.rest + part;
    let start = 0;
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", start)) {
      this.line(text, start, end);
      start = end + 1;
    }
    this.rest = text.slice(start);
  };

  /**
   * @returns undefined when there is no such metric in it, or more than can be read: that is not zero requests.
   * A part is never taken for the whole: figures would seem to have fallen, as they do when a pod starts again.
   */
  counters(): RequestCounters | undefined {
    if (this.rest !== "") this.line(this.rest, 0, this.rest.length);
    this.rest = "";
    return this.lines > maxLines ? undefined : this.reader.counters();
  }

  private line(text: string, start: number, end: number): void {
    this.lines++;
    // Most lines of an app's metrics are about something else.
    if (this.lines <= maxLines && this.reader.mayKnow(text, start)) this.reader.add(text.slice(start, end));
  }
}

/** The same, of a whole text. */
export function readRequestCounters(
  text: string,
  source: Naming,
  wanted?: SeriesFilter,
): RequestCounters | undefined {
  const requests = new RequestText(source, wanted);
  requests.add(text);
  return requests.counters();
}

/**
 * The same, of samples that somebody else has read.
 * @returns undefined where none of them counts requests
 */
export function countRequests(
  samples: readonly { metric: string; sample: Sample }[],
  source: Naming,
  wanted: SeriesFilter,
): RequestCounters | undefined {
  const reader = new CounterReader(source, wanted);
  for (const { metric, sample } of samples) reader.take(metric, sample);
  return reader.counters();
}
