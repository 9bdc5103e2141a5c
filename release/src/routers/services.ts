import { namespaceOf, colors, type Color, type ColorNamespaces, type NamespacedName } from "../app/color.js";
import { names } from "../app/names.js";
import type { RequestSeries } from "../app/requestSeries.js";
import type { JsonPatch } from "../kubernetes/jsonPointer.js";
import type { Router } from "./router.js";
import type { Weights } from "./weights.js";

/**
 * The part of the active Service's spec that points to a color. Its selector always is the record of
 * the live color.
 */
interface ActiveServiceSpec {
  selector: { app: string; version: Color };
  /**
   * Where a selector does not reach the color, from another namespace, DNS points there, and the API server
   * only keeps the selector.
   */
  type?: "ExternalName";
  externalName?: string;
}

export function activeServiceSpec(namespaces: ColorNamespaces, app: string, color: Color): ActiveServiceSpec {
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

/**
 * A color's Service as a backend of a route: its namespace stands there only where it is not the route's own.
 */
export function colorBackend(
  way: ColorNamespaces & { app: string },
  color: Color,
): { name: string; namespace?: string } {
  const { name, namespace } = colorService(way, way.app, color);
  return namespace === way.namespace ? { name } : { name, namespace };
}

/** The weights of a list of backends; undefined unless both colors are in it, and nothing else. */
export function backendWeights(
  app: string,
  backends: { name: string; weight: number }[] | undefined,
): Weights | undefined {
  const weightOf = (color: Color) =>
    backends?.find(({ name }) => name === names.colorService(app, color))?.weight;
  const [blue, green] = [weightOf("blue"), weightOf("green")];
  return backends?.length !== 2 || blue === undefined || green === undefined ? undefined : { blue, green };
}

/** @param path of a list of backends in the order of the colors */
export function patchBackends(app: string, path: string, weights: Weights): JsonPatch {
  return colors.flatMap((color, index) => [
    { op: "test", path: `${path}/${index}/name`, value: names.colorService(app, color) },
    { op: "replace", path: `${path}/${index}/weight`, value: weights[color] },
  ]);
}

/** Series that tell by a Service what requests were routed to. @param labels of such a series */
export function requestsByService(
  naming: Omit<RequestSeries, "labels">,
  labels: (service: NamespacedName) => Record<string, string>,
): NonNullable<Router["requests"]> {
  return (way) => {
    const { app, namespace, strategy } = way;
    const of = (color: Color) =>
      labels(
        strategy === "selector"
          ? { namespace, name: names.activeService(app) }
          : colorService(way, app, color),
      );
    return { ...naming, labels: { blue: of("blue"), green: of("green") } };
  };
}
