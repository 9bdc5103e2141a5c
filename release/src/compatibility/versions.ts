import { colors, type Color } from "../color.js";
import { Refusal } from "../refusal.js";
import { whyIncompatible, type Schema } from "./range.js";
import type { RunningVersion } from "./runningVersions.js";

/** Hash of each color's wanted pod template; null for a color that is not deployed. */
export type Templates = Record<Color, string | null>;

/** The versions that will still be there after the update: those that it does not replace or retire. */
export function staying(versions: RunningVersion[], templates: Templates): RunningVersion[] {
  return versions.filter(({ color, template }) => templates[color] === template);
}

/** A version in words. */
export function describeVersion({ color, image, cluster }: RunningVersion): string {
  return `${color} (${image})${cluster === undefined ? "" : ` in ${cluster}`}`;
}

/**
 * One refusal for each version that could not work on a schema.
 * @param what is refused because of it
 */
export function incompatible(what: string, versions: RunningVersion[], schema: Schema): Refusal[] {
  return versions.flatMap((version) => {
    const why = whyIncompatible(version.range, schema);
    if (why === undefined) return [];
    return [
      new Refusal({
        what: `${what} was refused: ${describeVersion(version)} would not work on the schema`,
        rule: why,
        next: `put a version on ${version.color} that works with it: pulumi config set ${version.color}Tag TAG`,
      }),
    ];
  });
}

/** Templates in the order of the colors, as inputs of a step carry them. */
export function sameTemplates(a: Templates, b: Templates): boolean {
  return colors.every((color) => a[color] === b[color]);
}
