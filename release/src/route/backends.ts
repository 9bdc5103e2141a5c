import { colors, type Color } from "../color.js";
import type { JsonPatch } from "../kubernetes/jsonPointer.js";
import { names } from "../names.js";
import type { Weights } from "./weights.js";

/** The weights of a list of backends; undefined unless both colors are in it, and nothing else. */
export function readColors(app: string, backends: { name: string; weight: number }[] | undefined): Weights | undefined {
  const weightOf = (color: Color) => backends?.find(({ name }) => name === names.colorService(app, color))?.weight;
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
