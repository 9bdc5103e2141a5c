/** A JSON patch (RFC 6902), as far as it is needed here. */
export type JsonPatch = (
  { op: "test" | "replace" | "add"; path: string; value: unknown } | { op: "remove"; path: string }
)[];

/** A key as JSON pointers want it (RFC 6901). */
export function pointer(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** The keys that a JSON pointer names, from the outside in. */
export function keysOf(path: string): string[] {
  return path
    .split("/")
    .slice(1)
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** What is there; undefined where nothing is. */
export function valueAt(object: unknown, path: string): unknown {
  return keysOf(path).reduce<unknown>(
    (at, key) =>
      typeof at === "object" && at !== null && Object.hasOwn(at, key)
        ? (at as Record<string, unknown>)[key]
        : undefined,
    object,
  );
}

/** Where an object is in Kubernetes' API, in whatever namespace. */
export interface ObjectAt {
  /** "" for what is in Kubernetes' core. */
  group: string;
  version: string;
  plural: string;
  name: string;
}
