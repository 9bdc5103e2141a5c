import { z } from "zod";
import { field, json, type Readable } from "../fields.js";

/** Where settings end that are no secrets. An encrypted one among them is refused. */
export const deployment: Readable = { place: "the Deployments of the colors" };
export const state: Readable = { place: "the stack's state" };

export function integer(
  fallback: number,
  min: number,
  max: number,
  unit: string,
  ends: Readable,
  description: string,
) {
  return field(json(z.int().min(min).max(max).default(fallback)), {
    description,
    unit,
    rule: `a whole number of ${unit} from ${min} to ${max}`,
    example: String(fallback),
    ends,
  });
}

export function flag(fallback: boolean, description: string) {
  return field(json(z.boolean().default(fallback)), {
    description,
    rule: "true or false",
    example: "false",
    ends: state,
  });
}
