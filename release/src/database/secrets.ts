import { unescape } from "node:querystring";
import { inspect } from "node:util";
import { messageOf } from "../refusal.js";

/** The passwords in a URL, as they are written there and as PostgreSQL gets them. By their place: a URL that is wrong has passwords, too. */
export function passwordsOf(url: string): string[] {
  const places = [/:\/\/[^:@/]*:(.+)@/, /[?&]password=([^&]+)/];
  return places.flatMap((place) => place.exec(url)?.slice(1) ?? []).flatMap((password) => [password, unescape(password)]);
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
