/** One of the two Deployments. Which of them serves traffic is decided by the active Service alone. */
export type Color = "blue" | "green";

export const colors = ["blue", "green"] as const satisfies readonly Color[];

export function isColor(value: unknown): value is Color {
  return value === "blue" || value === "green";
}

/** The color that is not `color`. */
export function otherColor(color: Color): Color {
  return color === "blue" ? "green" : "blue";
}
