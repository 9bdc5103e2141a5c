/** An object of a kind that is known, by its whole name. */
export type NamespacedName = { namespace: string; name: string };
