/** Annotations by which the Kubernetes provider treats objects as a release needs it. */

/**
 * The gates check readiness themselves, by what users would get; the provider's wait would only add to it.
 */
export const skipAwait = { "pulumi.com/skipAwait": "true" };

/**
 * The analysis, and a person at night, move traffic themselves, and somebody gives a color another image by hand: the
 * next update that changes the object takes the fields back instead of reporting a conflict. That the live color keeps
 * such an image is up to a hook.
 */
export const movedFromOutside = { "pulumi.com/patchForce": "true" };
