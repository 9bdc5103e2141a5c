/**
 * What the command line says for people, with texts that others have written in it; what is painted is
 * cleaned before.
 */
import { shown, shownIn } from "@bluegreen/release/util/shown";

export function print(text: string): void {
  console.log(shown(text));
}

export function printError(text: string): void {
  console.error(shown(text));
}

/** The same for programs. @param indent of each level, in blanks; none: a line */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(shownIn(value), null, indent);
}
