import type { Color } from "../app/color.js";
import { namespaceOf, type ColorNamespaces, type NamespacedName } from "../app/namespaces.js";
import { names } from "../app/names.js";

/**
 * The part of the active Service's spec that sends clients to a color. Its selector always is the record of
 * the live color.
 */
export interface LeadTo {
  selector: { app: string; version: Color };
  /**
   * Where a selector does not reach the color, from another namespace, DNS leads there, and the API server
   * only keeps the selector.
   */
  type?: "ExternalName";
  externalName?: string;
}

export function leadTo(namespaces: ColorNamespaces, app: string, color: Color): LeadTo {
  const selector = { app, version: color };
  if (!namespaces.namespacePerColor) return { selector };
  return { selector, type: "ExternalName", externalName: clusterHost(colorService(namespaces, app, color)) };
}

/** Every Service of the app answers on 80 and reaches the container's port by its name. */
export const httpPorts = [{ name: "http", protocol: "TCP", port: 80, targetPort: "http" }];

/** The Service that reaches one color alone. */
export function colorService(namespaces: ColorNamespaces, app: string, color: Color): NamespacedName {
  return { namespace: namespaceOf(namespaces, color), name: names.colorService(app, color) };
}

/** What DNS calls a Service: in every cluster, unless whoever has set it up wanted another domain. */
export function clusterHost({ namespace, name }: NamespacedName): string {
  return `${name}.${namespace}.svc.cluster.local`;
}
