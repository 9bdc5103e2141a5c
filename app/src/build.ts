/**
 * What was decided when this file was bundled: which release of the app it is, and which
 * fault, if any, it was built with. `build.mjs` replaces the two names below by literals.
 */
declare const BUILD_RELEASE: "v1" | "v2";
declare const BUILD_FAULT: Fault;

/** `none` is the app; each other value is a build that goes wrong in one way, for tests of releases. */
export type Fault = "none" | "smoke" | "errors" | "slow" | "crash" | "late-crash" | "leak";

export const FAULT: Fault = BUILD_FAULT;

/** Release v2 reads `users.tier`, release v1 does not know it. */
export const READS_TIER = BUILD_RELEASE === "v2";

/** The migration that has to be applied before this release can serve. */
export const SCHEMA_NEEDED = READS_TIER ? "0002" : "0001";
