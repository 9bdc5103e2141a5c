import { inspect } from "node:util";
import { messageOf } from "../../refusal.js";

/** The password of a URL as it is written there, and as PostgreSQL gets it. */
export function passwordsOf(url: string): string[] {
  if (!URL.canParse(url)) return [url];
  const { password } = new URL(url);
  return [password, decodeURIComponent(password)].filter((text) => text !== "");
}

/**
 * An error that shows no password of these URLs, wherever it was: PostgreSQL quotes statements and
 * connection strings in some of its own.
 */
export function withoutPasswords(error: unknown, urls: string[]): unknown {
  const passwords = urls.flatMap(passwordsOf);
  // Details and causes are shown with the message, and none of them is worth a password.
  const shown = messageOf(error) + inspect(error, { depth: 10 });
  if (!passwords.some((password) => shown.includes(password))) return error;
  return new Error(passwords.reduce((text, password) => text.replaceAll(password, "***"), messageOf(error)));
}
