import type { Color } from "../color.js";
import { names } from "../names.js";
import type { Strategy } from "../settings/schema.js";

/** The Secret that a color's pods read their database from. */
export function databaseSecret(strategy: Strategy, color: Color): string {
  return strategy === "shared" ? names.databaseSecret : `${names.databaseSecret}-${color}`;
}
