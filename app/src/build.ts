/**
 * What was decided when this file was bundled: which release of the app it is, which
 * fault, if any, it was built with, and the schema it works with. `build.mjs` replaces the names below by
 * literals.
 */
declare const BUILD_RELEASE: "v1" | "v2";
declare const BUILD_FAULT: Fault;
declare const BUILD_SCHEMA: SchemaRange;

/** `none` is the app; each other value is a build that goes wrong in one way, for tests of releases. */
export type Fault = "none" | "smoke" | "errors" | "slow" | "crash" | "late-crash" | "leak";

export const FAULT: Fault = BUILD_FAULT;

/** Release v2 reads `users.tier`, release v1 does not know it. */
export const READS_TIER = BUILD_RELEASE === "v2";

export interface SchemaRange {
  /** The migration that has to be applied before this build can serve. */
  needs: string;
  /** The newest migration that there was when it was built: what a later one takes away, it may still use. */
  knows: string;
}

export const SCHEMA: SchemaRange = BUILD_SCHEMA;
