import { colors, type Color } from "./color.js";

/** The namespace of an app, and whether each color has one of its own: all it takes to find a color's objects. */
export type Homes = {
  /** Of what belongs to the app as a whole: the active Service, the way in, the notes, the analysis controller. */
  namespace: string;
  /** Each color lives in a namespace of its own, beside the app's; otherwise both live in the app's. */
  namespacePerColor: boolean;
};

/** The namespace of everything that belongs to a color. */
export function homeOf({ namespace, namespacePerColor }: Homes, color: Color): string {
  return !namespacePerColor ? namespace : `${namespace}-${color}`;
}

/** Every namespace that has a color in it, once. */
export function homesOf(homes: Homes): string[] {
  return [...new Set(colors.map((color) => homeOf(homes, color)))];
}

/** Every namespace of an app, once. */
export function namespacesOf(homes: Homes): string[] {
  return [...new Set([homes.namespace, ...homesOf(homes)])];
}

/** Labels of a namespace in which no pod may have more rights than the restricted standard leaves it. */
export const podSecurity = {
  "pod-security.kubernetes.io/enforce": "restricted",
  "pod-security.kubernetes.io/warn": "restricted",
};

/** For what is made once in each of them: where, and a name that is another one for each. */
export function inEachHome(homes: Homes, name: string): NamespacedName[] {
  if (!homes.namespacePerColor) return [{ namespace: homes.namespace, name }];
  return colors.map((color) => ({ namespace: homeOf(homes, color), name: `${name}-${color}` }));
}

/** An object of a kind that is known, by its whole name. */
export type NamespacedName = { namespace: string; name: string };
