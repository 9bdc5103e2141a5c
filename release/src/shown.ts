import { masked } from "./masked.js";
import { printable } from "./printable.js";

/** A text that a cluster, a pod, a database or a person may have written, as it may come before people: on a terminal, in a log, in a message. */
export function shown(text: string): string {
  // What is unseen could keep a secret from being found.
  return masked(printable(text));
}

/** The same value with every text in it, at any depth, as `shown` has it. */
export function shownIn<T>(value: T): T {
  return shownUnknown(value) as T;
}

function shownUnknown(value: unknown): unknown {
  if (typeof value === "string") return shown(value);
  if (Array.isArray(value)) return value.map(shownUnknown);
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, shownUnknown(each)]));
}

/** Not a Date, which has no texts of others in it. */
function isPlain(value: unknown): value is object {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
