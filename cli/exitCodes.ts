/** partly: done in some clusters, and not in others. */
export const exitCodes = { clean: 0, findings: 1, usage: 2, partly: 3 } as const;
