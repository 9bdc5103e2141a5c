import { setTimeout as delay } from "node:timers/promises";
import { isSecureUrl, secureUrlRule } from "../util/secureUrl.js";

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
