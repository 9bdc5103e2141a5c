import { z } from "zod";

/** What a controller says in the status of an object. */
export const conditions = z
  .object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]) })
  .default({ conditions: [] });

export function holds({ conditions: all }: z.output<typeof conditions>, type: string): boolean {
  return all.some((condition) => condition.type === type && condition.status === "True");
}
