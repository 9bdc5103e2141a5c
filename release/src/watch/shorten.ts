const maxLength = 200;

/** Words from elsewhere as a part of a line for people: short, and without what a terminal would obey. */
export function shorten(words: string): string {
  const head = words.slice(0, 2 * maxLength).replace(/[\p{Cc}\p{Cf}\s]+/gu, " ").trim();
  return head.length <= maxLength ? head : `${head.slice(0, maxLength - 1)}…`;
}
