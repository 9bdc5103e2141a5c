import { masked } from "./masked.js";
import { stripVTControlCharacters } from "node:util";

/**
 * A text that a cluster, a pod, a database or a person may have written, as it may come before people: on a
 * terminal, in a log, in a message.
 */
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

/** Unseen, or turning what stands beside them around: they hide words, and the beginning of a line. */
const unseen = /[\p{Bidi_Control}\u00ad\u180e\u200b\u2060-\u2064\ufeff\u{e0000}-\u{e007f}]/gu;

/** What a CI system takes for an order: at the beginning of a line, or wherever it stands. */
const order = /^([^\S\n]*):(?=:)/gm;

const orderAnywhere = /#(?=#(?:\[|vso\[|teamcity\[))/g;

/**
 * A text that others may have written, in letters that only say something: nothing in it moves a cursor,
 * overwrites a line, turns the reading direction, or gives a CI system orders. Lines stay lines, and tabs
 * tabs.
 */
function printable(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll(/\r\n?|[\u2028\u2029]/g, "\n")
    .replaceAll(/[^\P{Cc}\n\t]/gu, "")
    .replaceAll(unseen, "")
    .replaceAll(order, "$1: ")
    .replaceAll(orderAnywhere, "# ");
}
