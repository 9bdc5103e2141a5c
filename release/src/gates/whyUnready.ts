import { z } from "zod";

const answer = z.object({
  reason: z.string().max(200).optional(),
  schema: z.object({ needs: z.string(), applied: z.string().nullable() }).optional(),
});

/** What a pod that is not ready says about it in the body of /ready. */
export interface UnreadyReason {
  text: string;
  /** The schema that it waits for is not there, and migrations are over: it waits in vain. */
  final: boolean;
}

/** Undefined when the body says nothing of that kind. */
export function whyUnready(body: unknown): UnreadyReason | undefined {
  const parsed = answer.safeParse(body);
  if (!parsed.success) return undefined;
  const { reason, schema } = parsed.data;
  if (schema !== undefined && (schema.applied ?? "") < schema.needs && reason !== undefined) {
    return { text: `${reason}: it needs migration ${schema.needs}, the database is at ${schema.applied ?? "none"}`, final: schema.applied !== null };
  }
  return reason === undefined ? undefined : { text: reason, final: false };
}
