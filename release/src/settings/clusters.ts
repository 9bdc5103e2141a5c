import { z } from "zod";

export const clusterOrders = ["inOrder", "atOnce"] as const;
export const failureRules = ["rollBack", "stop"] as const;

const member = z.strictObject({
  name: z.string().regex(/^[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?$/),
  context: z.string().min(1).max(253),
});
/** A cluster by the name that config gives it. */
export type Member = z.output<typeof member>;

/** The clusters of one release. None is the one that `context` names. */
export const clusters = z
  .strictObject({
    members: z.array(member).max(20).default([]),
    order: z.enum(clusterOrders).default("inOrder"),
    onFailure: z.enum(failureRules).default("rollBack"),
  })
  .refine(({ members }) => areUnique(members.map(({ name }) => name)) && areUnique(members.map(({ context }) => context)));

function areUnique(texts: string[]): boolean {
  return new Set(texts).size === texts.length;
}
