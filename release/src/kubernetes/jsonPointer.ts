/** A JSON patch (RFC 6902), as far as it is needed here. */
export type JsonPatch = ({ op: "test" | "replace" | "add"; path: string; value: unknown } | { op: "remove"; path: string })[];

/** A key as JSON pointers want it (RFC 6901). */
export function pointer(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}
