import { ApiException, PatchStrategy, setHeaderOptions } from "./client.js";

/** Sends a body as a JSON patch. */
export const asJsonPatch = setHeaderOptions("Content-Type", PatchStrategy.JsonPatch);

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
