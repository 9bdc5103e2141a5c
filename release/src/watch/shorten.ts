import { shown } from "../shown.js";

const maxLength = 200;

/** Words from elsewhere as a part of a line for people: short, without secrets, and without what a terminal would obey. */
export function shorten(words: string): string {
  // Cut before, too: a line of a log may be endless.
  const head = shown(words.slice(0, 4 * maxLength)).replace(/[\p{Cf}\s]+/gu, " ").trim();
  return head.length <= maxLength ? head : `${head.slice(0, maxLength - 1)}…`;
}
