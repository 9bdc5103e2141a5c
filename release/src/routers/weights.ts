import { colors, otherColor, type Color } from "../app/color.js";

/** How many of 100 new users each color gets. */
export type Weights = Record<Color, number>;

/** All users on one color. */
export function allOn(color: Color): Weights {
  return weightsOf(color, 0);
}

/** @param canaryWeight the percentage of the other color */
export function weightsOf(active: Color, canaryWeight: number): Weights {
  return active === "blue"
    ? { blue: 100 - canaryWeight, green: canaryWeight }
    : { blue: canaryWeight, green: 100 - canaryWeight };
}

/** The part of the users that the color beside the active one gets, in percent. */
export function shareOf(weights: Weights, active: Color): number {
  return weights[otherColor(active)];
}

export function sameWeights(one: Weights, other: Weights): boolean {
  return one.blue === other.blue && one.green === other.green;
}

/** As people read them: blue=90,green=10. */
export function formatWeights(weights: Weights): string {
  return colors.map((color) => `${color}=${weights[color]}`).join(",");
}

/**
 * The shares that a shift still has to give, in percent. The last of them is all users, and that is a switch.
 * @param steps how many there are from nothing to all
 * @param given what the color has already: a shift that was cut off goes on from there
 */
export function sharesAfter(given: number, steps: number): number[] {
  return Array.from({ length: steps }, (_, index) => Math.round((100 * (index + 1)) / steps)).filter(
    (share) => share > given,
  );
}

/** Seconds of a text such as 30m, 90s or 1h30m; undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  const [whole, hours, minutes, seconds] = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text) ?? [];
  if (whole === undefined || whole === "") return undefined;
  return Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0);
}
