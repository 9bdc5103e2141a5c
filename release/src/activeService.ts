import type { Color } from "./color.js";
import { homeOf, type Homes } from "./homes.js";
import type { NamespacedName } from "./kubernetes/namespacedName.js";
import { names } from "./names.js";

/** The part of the active Service's spec that sends clients to a color. Its selector always is the record of the live color. */
export interface LeadTo {
  selector: { app: string; version: Color };
  /** Where a selector does not reach the color, from another namespace, DNS leads there, and the API server only keeps the selector. */
  type?: "ExternalName";
  externalName?: string;
}

export function leadTo(homes: Homes, app: string, color: Color): LeadTo {
  const selector = { app, version: color };
  if (homes.isolation === "shared") return { selector };
  const { namespace, name } = colorService(homes, app, color);
  return { selector, type: "ExternalName", externalName: `${name}.${namespace}.svc.${clusterDomain}` };
}

/** The Service that reaches one color alone. */
export function colorService(homes: Homes, app: string, color: Color): NamespacedName {
  return { namespace: homeOf(homes, color), name: names.colorService(app, color) };
}

/** Every cluster's own, unless whoever has set it up wanted another. */
const clusterDomain = "cluster.local";
