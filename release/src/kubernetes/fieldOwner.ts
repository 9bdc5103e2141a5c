import type { V1ManagedFieldsEntry, V1ObjectMeta } from "./client.js";

/** A field by the names of those that it is in, as the API server writes it into managedFields. */
export type FieldPath = readonly string[];

/** Who has a field, and since when, as the API server keeps it; undefined where nobody has. */
export function ownerOf(
  metadata: V1ObjectMeta | undefined,
  path: FieldPath,
): V1ManagedFieldsEntry | undefined {
  return metadata?.managedFields?.find(({ fieldsV1 }) => has(fieldsV1, path));
}

/** Whether somebody has both fields. Who has set one alone, since then, is not the one who has made the other. */
export function isOneOwner(metadata: V1ObjectMeta | undefined, a: FieldPath, b: FieldPath): boolean {
  return metadata?.managedFields?.some(({ fieldsV1 }) => has(fieldsV1, a) && has(fieldsV1, b)) ?? false;
}

function has(fields: unknown, path: FieldPath): boolean {
  const found = path.reduce<unknown>(
    (within, name) =>
      typeof within === "object" && within !== null
        ? Object.entries(within).find(([each]) => each === name)?.[1]
        : undefined,
    fields,
  );
  return found !== undefined;
}
