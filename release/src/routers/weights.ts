import { colors, otherColor, type Color } from "../app/color.js";

/** The percentage of new requests that each color gets. */
export type Weights = Record<Color, number>;

/** All traffic on one color. */
export function allOn(color: Color): Weights {
  return weightsOf(color, 0);
}

/** @param canaryWeight the percentage of the other color */
export function weightsOf(active: Color, canaryWeight: number): Weights {
  return active === "blue"
    ? { blue: 100 - canaryWeight, green: canaryWeight }
    : { blue: canaryWeight, green: 100 - canaryWeight };
}

/** The percentage of traffic that the idle color gets. */
export function canaryWeightOf(weights: Weights, active: Color): number {
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
 * The canary weights that a shift still has to set. The last of them is all traffic, and that is a switch.
 * @param steps how many there are from nothing to all
 * @param given what the color has already: a shift that was cut off continues from there
 */
export function weightsAfter(given: number, steps: number): number[] {
  return Array.from({ length: steps }, (_, index) => Math.round((100 * (index + 1)) / steps)).filter(
    (weight) => weight > given,
  );
}

/** Seconds of a text such as 30m, 90s or 1h30m; undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  const [whole, hours, minutes, seconds] = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text) ?? [];
  if (whole === undefined || whole === "") return undefined;
  return Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0);
}
