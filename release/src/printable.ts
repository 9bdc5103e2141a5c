import { stripVTControlCharacters } from "node:util";

/** Unseen, or turning what stands beside them around: they hide words, and the beginning of a line. */
const unseen = /[\p{Bidi_Control}\u00ad\u180e\u200b\u2060-\u2064\ufeff\u{e0000}-\u{e007f}]/gu;
/** What a CI system takes for an order: at the beginning of a line, or wherever it stands. */
const order = /^([^\S\n]*):(?=:)/gm;
const orderAnywhere = /#(?=#(?:\[|vso\[|teamcity\[))/g;

/**
 * A text that others may have written, in letters that only say something: nothing in it moves a cursor, overwrites a
 * line, turns the reading direction, or gives a CI system orders. Lines stay lines, and tabs tabs.
 */
export function printable(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll(/\r\n?|[\u2028\u2029]/g, "\n")
    .replaceAll(/[^\P{Cc}\n\t]/gu, "")
    .replaceAll(unseen, "")
    .replaceAll(order, "$1: ")
    .replaceAll(orderAnywhere, "# ");
}
