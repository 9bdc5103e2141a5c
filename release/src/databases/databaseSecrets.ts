import { namespaceOf, type Color, type ColorNamespaces, type NamespacedName } from "../app/color.js";
import type { Strategy } from "../config/schema/database.js";

/** The Secrets of an app's databases. */
export type DatabaseSecrets = {
  strategy: Strategy;
  /** Their name, or what it begins with where each color has its own. */
  databaseSecret: string;
};

/** The Secret that a color's pods read their database from. */
export function secretName({ strategy, databaseSecret }: DatabaseSecrets, color: Color): string {
  return strategy === "shared" ? databaseSecret : `${databaseSecret}-${color}`;
}

/** Beside the pods that read it. */
export function secretOf(
  namespaces: ColorNamespaces,
  secrets: DatabaseSecrets,
  color: Color,
): NamespacedName {
  return { namespace: namespaceOf(namespaces, color), name: secretName(secrets, color) };
}
