/** A line of a log, as the kubelet gives it with its time. */
export interface LogLine {
  /** In a form that compares as text. */
  time: string;
  text: string;
}

/** Undefined for a line without a time: the kubelet's own remarks, which are no lines of the app. */
export function readLogLine(line: string): LogLine | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d) /.exec(line);
  if (match === null) return undefined;
  const [stamp, second = "", fraction = "", zone = ""] = match;
  const seconds = Date.parse(`${second}${zone}`) / 1000;
  // Nodes may write their local time, and a Date has no nanoseconds.
  return Number.isNaN(seconds)
    ? undefined
    : {
        time: `${String(seconds).padStart(12, "0")}.${fraction.padEnd(9, "0")}`,
        text: line.slice(stamp.length),
      };
}
