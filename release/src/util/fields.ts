/** A manifest's part, as JSON and YAML have it. */
export type Fields = Record<string, unknown>;

/** Neither a list nor null, whose type is object as well. */
export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
