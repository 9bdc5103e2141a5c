import { inspect } from "node:util";
import { masked, passwordsOf } from "../util/masked.js";
import { messageOf } from "../util/userError.js";

/**
 * An error that shows no password of these URLs, wherever it was: PostgreSQL quotes statements and
 * connection strings in some of its own.
 */
export function withoutPasswords(error: unknown, urls: string[]): unknown {
  // Details and causes are shown with the message, and none of them is worth a password.
  const all = messageOf(error) + inspect(error, { depth: 10 });
  return urls.flatMap(passwordsOf).some((password) => all.includes(password))
    ? new Error(masked(messageOf(error), urls))
    : error;
}
