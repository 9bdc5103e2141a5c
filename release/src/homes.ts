import { colors, type Color } from "./color.js";
import type { NamespacedName } from "./kubernetes/namespacedName.js";

/** shared: both colors live in the app's namespace. namespaces: each in one of its own, beside it. */
export const isolations = ["shared", "namespaces"] as const;
export type Isolation = (typeof isolations)[number];

/** The namespace of an app, and how its colors are kept apart: all that it takes to find what belongs to a color. */
export type Homes = {
  /** Of what belongs to the app as a whole: the active Service, the way in, the notes, the watcher. */
  namespace: string;
  isolation: Isolation;
};

/** The namespace of everything that belongs to a color. */
export function homeOf({ namespace, isolation }: Homes, color: Color): string {
  return isolation === "shared" ? namespace : `${namespace}-${color}`;
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
  if (homes.isolation === "shared") return [{ namespace: homes.namespace, name }];
  return colors.map((color) => ({ namespace: homeOf(homes, color), name: `${name}-${color}` }));
}
