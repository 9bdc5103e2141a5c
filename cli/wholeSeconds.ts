/** A time as people read it: without its milliseconds. */
export function wholeSeconds(at: string): string {
  return at.replace(/\.\d+Z$/, "Z");
}
