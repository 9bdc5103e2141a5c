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
export function metricOf(line: string): string | undefined {
  return /^[A-Za-z_:][\w:]*/.exec(line)?.[0];
}

/**
 * Of a line's rest after the name, such as `{le="0.1",route="/"} 3`; a time stamp or an exemplar may follow.
 * @returns undefined when it makes no sense, or is not what counts requests or seconds: finite and not negative
 */
export function readSample(rest: string): Sample | undefined {
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
