import { ApiException, PatchStrategy, setHeaderOptions } from "@kubernetes/client-node";

export type JsonPatch = ({ op: "test" | "replace" | "add"; path: string; value: unknown } | { op: "remove"; path: string })[];

/** Sends a body as a JSON patch. */
export const asJsonPatch = setHeaderOptions("Content-Type", PatchStrategy.JsonPatch);

/** A key as JSON pointers want it (RFC 6901). */
export function pointer(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** @returns false where a test of the patch did not hold: somebody else was quicker */
export async function held(patch: Promise<unknown>): Promise<boolean> {
  try {
    await patch;
    return true;
  } catch (error) {
    if (error instanceof ApiException && error.code === 422) return false;
    throw error;
  }
}
