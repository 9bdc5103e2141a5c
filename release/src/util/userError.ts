import type { ErrorCode } from "./errorCodes.js";
import { parseJson } from "./json.js";
import { shown } from "./shown.js";

export interface ErrorParts {
  /** What was refused, with the offending value. */
  what: string;
  /** The rule that it breaks, or what was observed. */
  rule: string;
  /** The next command to type, or the next thing to do. */
  next: string;
}

export interface UserErrorParts extends ErrorParts {
  /** To search for, and for programs: docs/reference/errors.md. */
  code: ErrorCode;
}

/**
 * An error for people: what was refused, why, and what to do next. Whatever it quotes, it holds no secret and
 * nothing that a terminal or a CI system would obey.
 */
export class UserError extends Error {
  readonly code: ErrorCode;

  constructor(parts: UserErrorParts, options?: ErrorOptions) {
    super(shown(userErrorText(parts)), options);
    this.name = "UserError";
    this.code = parts.code;
  }
}

/** For programs: the code of an error, or of its cause; undefined where neither is a user error. */
export function errorCodeOf(error: unknown): ErrorCode | undefined {
  if (error instanceof UserError) return error.code;
  return error instanceof Error && error.cause !== undefined ? errorCodeOf(error.cause) : undefined;
}

/** What a user error says; also of what is reported without being thrown. */
export function userErrorText({ code, ...parts }: UserErrorParts): string {
  return `${errorText(parts)}\n  code: ${code}`;
}

/** The same, where something else than a code names the rule. */
export function errorText({ what, rule, next }: ErrorParts): string {
  return `${what}\n  why:  ${rule}\n  next: ${next}`;
}

/**
 * The text of whatever was thrown, for people: the API server's own sentence where it has refused something,
 * and what kept a request from being answered.
 */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return shown(String(error));
  return shown(refusedByServer(error) ?? noConnection(error) ?? error.message);
}

/**
 * Of the Kubernetes client's errors, whose message is all of the answer with its headers. Told by what they
 * hold: the program says errors, too, and does not load that client.
 */
function refusedByServer(error: Error): string | undefined {
  if (!("code" in error && "body" in error && typeof error.code === "number")) return undefined;
  const body = typeof error.body === "string" ? parseJson(error.body) : error.body;
  const said =
    typeof body === "object" &&
    body !== null &&
    "message" in body &&
    typeof body.message === "string" &&
    body.message !== ""
      ? body.message
      : "without a reason";
  return `the API server refused it: ${said} (HTTP ${error.code})`;
}

/** Of fetch, which says "fetch failed" whatever it was. */
function noConnection({ message, cause }: Error): string | undefined {
  if (message !== "fetch failed" || !(cause instanceof Error)) return undefined;
  // One that has tried several addresses says nothing itself.
  const said = cause.message === "" && "code" in cause ? String(cause.code) : cause.message;
  return `no answer: ${said}`;
}
