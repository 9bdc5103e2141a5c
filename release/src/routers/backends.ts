import { colorService } from "./activeService.js";
import { colors, type Color } from "../app/color.js";
import type { ColorNamespaces } from "../app/namespaces.js";
import type { JsonPatch } from "../kubernetes/jsonPointer.js";
import { names } from "../app/names.js";
import type { Weights } from "./weights.js";

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
export function readColors(
  app: string,
  backends: { name: string; weight: number }[] | undefined,
): Weights | undefined {
  const weightOf = (color: Color) =>
    backends?.find(({ name }) => name === names.colorService(app, color))?.weight;
  const [blue, green] = [weightOf("blue"), weightOf("green")];
  return backends?.length !== 2 || blue === undefined || green === undefined ? undefined : { blue, green };
}

/** @param path of a list of backends in the order of the colors */
export function patchColors(app: string, path: string, weights: Weights): JsonPatch {
  return colors.flatMap((color, index) => [
    { op: "test", path: `${path}/${index}/name`, value: names.colorService(app, color) },
    { op: "replace", path: `${path}/${index}/weight`, value: weights[color] },
  ]);
}
