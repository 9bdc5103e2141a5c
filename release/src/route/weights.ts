import { colors, otherColor, type Color } from "../color.js";

/** How many of 100 new users each color gets. */
export type Weights = Record<Color, number>;

/** All users on one color. */
export function allOn(color: Color): Weights {
  return color === "blue" ? { blue: 100, green: 0 } : { blue: 0, green: 100 };
}

/** The part of the users that the color beside the active one gets, in percent. */
export function shareOf(weights: Weights, active: Color): number {
  return weights[otherColor(active)];
}

export function sameWeights(one: Weights, other: Weights): boolean {
  return one.blue === other.blue && one.green === other.green;
}

/** As config has them: blue=90,green=10. */
export function formatWeights(weights: Weights): string {
  return colors.map((color) => `${color}=${weights[color]}`).join(",");
}

/** @returns undefined unless each color has a share, and together they have all users */
export function parseWeights(text: string): Weights | undefined {
  const [, first, one, second, other] = /^(blue|green)=(\d{1,3}),(blue|green)=(\d{1,3})$/.exec(text) ?? [];
  if (first === second || Number(one) + Number(other) !== 100) return undefined;
  return first === "blue" ? { blue: Number(one), green: Number(other) } : { blue: Number(other), green: Number(one) };
}
