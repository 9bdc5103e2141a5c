import { readLogLine } from "../kubernetes/pods.js";
import { parseJson } from "../util/json.js";
import { shown } from "../util/shown.js";

/** What a part of one pod's log says. */
export interface LogErrors {
  errors: number;
  /**
   * Up to three messages, shortened. They are the app's own words: a secret is in them only if the app logs
   * it.
   */
  samples: string[];
  /**
   * The time of the last line that was evaluated, in a form that compares as text. Absent where there is none.
   */
  last?: string;
}

export interface LogPart {
  /** Lines up to this one were evaluated before. */
  after?: string | undefined;
  /** The text stops anywhere: its last line may lack its end, and is not evaluated. */
  isCut?: boolean;
}

export const maxSamples = 3;

/**
 * Counts the errors in a log whose lines begin with the kubelet's time. Never throws, whatever the text
 * holds. A line without that time (the kubelet's own remarks) is no line of the app.
 */
export function readLogErrors(text: string, { after = "", isCut = false }: LogPart = {}): LogErrors {
  const samples: string[] = [];
  let errors = 0;
  let last = after;
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf("\n", start);
    if (newline === -1 && isCut) break;
    const end = newline === -1 ? text.length : newline;
    const line = readLogLine(text.slice(start, end));
    start = end + 1;
    if (line === undefined || line.time <= last) continue;
    last = line.time;
    const error = findError(line.text);
    if (error === undefined) continue;
    errors++;
    if (samples.length < maxSamples) samples.push(shorten(error));
  }
  return { errors, samples, ...(last !== "" && { last }) };
}

/** The message of a line that is an error; undefined when it is none. */
function findError(line: string): string | undefined {
  const { level, message = line } = readStructured(line) ?? {};
  // What the app itself calls it counts. Only where it says nothing its words are read.
  const isError = level === undefined ? /ERROR|FATAL|Exception/.test(line) : isErrorLevel(level);
  return isError ? message : undefined;
}

const errorLevels = new Set([
  "error",
  "err",
  "fatal",
  "critical",
  "crit",
  "panic",
  "alert",
  "emergency",
  "emerg",
]);

/** pino and bunyan write numbers: 50 is an error, 60 is fatal. */
const errorNumber = 50;

function isErrorLevel(level: string | number): boolean {
  return typeof level === "number" ? level >= errorNumber : errorLevels.has(level.toLowerCase());
}

interface StructuredLine {
  level: string | number | undefined;
  message: string | undefined;
}

function readStructured(line: string): StructuredLine | undefined {
  const trimmed = line.trim();
  if (trimmed.startsWith("{")) return readJson(trimmed);
  const level = /(?:^|\s)(?:level|severity|lvl)="?(\w+)"?(?=\s|$)/.exec(trimmed)?.[1];
  return level === undefined ? undefined : { level, message: undefined };
}

function readJson(text: string): StructuredLine | undefined {
  const line = parseJson(text);
  if (typeof line !== "object" || line === null) return undefined;
  const values = new Map<string, unknown>(Object.entries(line));
  return {
    level: ["level", "severity", "log.level"]
      .map((key) => values.get(key))
      .find((value) => typeof value === "string" || typeof value === "number"),
    message: ["message", "msg"].map((key) => values.get(key)).find((value) => typeof value === "string"),
  };
}

const maxLength = 200;

/**
 * Words from elsewhere as a part of a line for people: short, without secrets, and without what a terminal
 * would obey.
 */
export function shorten(words: string): string {
  // Cut before, too: a line of a log may be endless.
  const head = shown(words.slice(0, 4 * maxLength))
    .replace(/[\p{Cf}\s]+/gu, " ")
    .trim();
  return head.length <= maxLength ? head : `${head.slice(0, maxLength - 1)}…`;
}
