/** A manifest's part, as JSON and YAML have it. */
export type Fields = Record<string, unknown>;

/** Neither a list nor null, whose type is object as well. */
export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value that a text from elsewhere holds; undefined when it is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
