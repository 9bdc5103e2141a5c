import { setTimeout as delay } from "node:timers/promises";
import { isSecureUrl, secureUrlRule } from "../util/http.js";
import { shown, shownIn } from "../util/shown.js";
import type { Alert } from "./alert.js";

/** A request to a receiver. Its URL and headers may be secrets. */
export interface Message {
  url: string;
  headers?: Record<string, string>;
  body: unknown;
}

export interface PostLimits {
  /** For one answer, in milliseconds. */
  timeoutMs: number;
  tries: number;
  /** Before the second try, in milliseconds; twice that before the third, and so on. */
  pauseMs: number;
  /** On the clock of performance.now(): nothing continues after it. */
  endsAt: number;
}

interface Failure {
  why: string;
  /** Whether it may be gone with the next try. */
  mayPass: boolean;
  /** What the receiver asks for. */
  retryAfterMs?: number;
}

/**
 * Posts JSON. Tries again after network errors, 429 and 5xx. Never throws.
 * @returns undefined when it was taken, otherwise why not: without the URL or anything that the receiver said
 */
export async function post(
  message: Message,
  { timeoutMs, tries, pauseMs, endsAt }: PostLimits,
): Promise<string | undefined> {
  if (!isSecureUrl(message.url)) return `its URL is not ${secureUrlRule}`;
  for (let tried = 1; ; tried++) {
    const failure = await attempt(message, Math.min(timeoutMs, endsAt - performance.now()));
    if (failure === undefined) return undefined;
    const summary = tried === 1 ? `1 try: ${failure.why}` : `${tried} tries, last: ${failure.why}`;
    if (!failure.mayPass || tried >= tries) return summary;
    const pause = failure.retryAfterMs ?? pauseMs * 2 ** (tried - 1);
    if (performance.now() + pause >= endsAt) return `${summary}, and no time for another`;
    await delay(pause);
  }
}

async function attempt({ url, headers, body }: Message, withinMs: number): Promise<Failure | undefined> {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    controller.abort();
  }, withinMs);
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", "user-agent": "bluegreen", ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
      // It would take the secrets in headers and body to a place that nobody has configured.
      redirect: "manual",
      signal: controller.signal,
    });
    return readFailure(response);
  } catch (error) {
    return {
      mayPass: true,
      why: controller.signal.aborted
        ? `no answer within ${Math.round(withinMs / 100) / 10} s`
        : codeOf(error),
    };
  } finally {
    clearTimeout(timer);
    // The status says it all: what else it answers, however much, is not read.
    controller.abort();
  }
}

function readFailure({ ok, status, headers }: Response): Failure | undefined {
  if (ok) return undefined;
  if (status >= 300 && status < 400)
    return { mayPass: false, why: `HTTP ${status}, and redirects are not followed` };
  const mayPass = status === 429 || status >= 500;
  const retryAfterMs = mayPass ? readRetryAfter(headers) : undefined;
  return { mayPass, why: `HTTP ${status}`, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

/** Seconds, or a date: by the receiver's own clock where it tells that. */
function readRetryAfter(headers: Headers): number | undefined {
  const text = headers.get("retry-after")?.trim() ?? "";
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const until = Date.parse(text);
  if (Number.isNaN(until)) return undefined;
  const now = Date.parse(headers.get("date") ?? "");
  return Math.max(0, until - (Number.isNaN(now) ? Date.now() : now));
}

/** The message of what fetch throws can hold the URL; a code cannot. */
function codeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  return typeof code === "string" && /^[A-Z][A-Z0-9_]+$/.test(code) ? code : "no connection";
}

/** More is for the logs; every receiver takes this much. */
const linesMax = 50;
const lineMax = 500;

/**
 * An alert that may leave for somebody else's servers. What it quotes comes from pods and error
 * texts: no line or list is endless, nothing moves a cursor or turns the reading direction, and
 * secrets are gone.
 */
export function presentable({ evidence, ...alert }: Alert): Alert {
  const all = evidence.flatMap((text) => text.split(/\r\n?|\n/)).filter((line) => line.trim() !== "");
  // Several at once, and longer than they are shown: what is hidden may be longer than a line.
  const first = all.slice(0, 4 * linesMax).map((line) => line.slice(0, 4 * lineMax));
  const lines = shown(first.join("\n"))
    .split("\n")
    .map(oneLine)
    .filter((line) => line.trim() !== "");
  const left = lines.length - linesMax + all.length - first.length;
  const safe = shownIn(alert);
  return {
    ...safe,
    who: oneLine(safe.who),
    why: oneLine(safe.why),
    evidence:
      left > 0 ? [...lines.slice(0, linesMax), `… ${left} more ${left === 1 ? "line" : "lines"}`] : lines,
    links: (safe.links ?? [])
      .filter(({ url }) => /^https?:\/\//.test(url) && URL.canParse(url))
      .map(({ text, url }) => ({ text: oneLine(text), url: new URL(url).href })),
  };
}

function oneLine(text: string): string {
  return shortened(text.replaceAll(/[\t\n]+/g, " "), lineMax);
}

/** At most so many characters; never half of one. */
export function shortened(text: string, max: number): string {
  if (text.length <= max) return text;
  const cut = text.slice(0, max - 1);
  // The first half of a pair that makes one character.
  return `${/[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut}…`;
}
