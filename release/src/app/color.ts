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

/** The namespace of an app, and whether each color has one of its own: all it takes to find a color's objects. */
export type ColorNamespaces = {
  /** Of what belongs to the app as a whole: the active Service, the ingress, the records, the analysis controller. */
  namespace: string;
  /** Each color is in a namespace of its own, beside the app's; otherwise both are in the app's. */
  namespacePerColor: boolean;
};

/** The namespace of everything that belongs to a color. */
export function namespaceOf({ namespace, namespacePerColor }: ColorNamespaces, color: Color): string {
  return !namespacePerColor ? namespace : `${namespace}-${color}`;
}

/** Every namespace that has a color in it, once. */
export function colorNamespacesOf(namespaces: ColorNamespaces): string[] {
  return [...new Set(colors.map((color) => namespaceOf(namespaces, color)))];
}

/** Every namespace of an app, once. */
export function namespacesOf(namespaces: ColorNamespaces): string[] {
  return [...new Set([namespaces.namespace, ...colorNamespacesOf(namespaces)])];
}

/** Labels of a namespace in which no pod may have more rights than the restricted standard leaves it. */
export const podSecurity = {
  "pod-security.kubernetes.io/enforce": "restricted",
  "pod-security.kubernetes.io/warn": "restricted",
};

/** For what is made once in each of them: where, and a name that is another one for each. */
export function inEachNamespace(namespaces: ColorNamespaces, name: string): NamespacedName[] {
  if (!namespaces.namespacePerColor) return [{ namespace: namespaces.namespace, name }];
  return colors.map((color) => ({ namespace: namespaceOf(namespaces, color), name: `${name}-${color}` }));
}

/** An object of a kind that is known, by its whole name. */
export type NamespacedName = { namespace: string; name: string };
