import { z } from "zod";
import { objectOf, part } from "./fields.js";

export const clusterOrders = ["inOrder", "atOnce"] as const;
export const failureRules = ["rollBack", "stop"] as const;

/** As kubeconfigs name them: ARNs and URLs among them. */
export const contextName = z.string().max(253).regex(/^\P{Cc}*$/u);

const member = z.strictObject({
  name: z.string().regex(/^[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?$/),
  context: contextName.min(1),
});
/** A cluster by the name that config gives it. */
export type Member = z.output<typeof member>;

/** The clusters of one release. None is the one that `context` names. */
export const clusters = objectOf(
  {
    members: part(z.array(member).max(20).default([]), "at most 20 of {name, context}; a name: lower-case letters, digits and '-', at most 32; a context of your kubeconfig"),
    order: part(z.enum(clusterOrders).default("inOrder"), clusterOrders.join(" or ")),
    onFailure: part(z.enum(failureRules).default("rollBack"), failureRules.join(" or ")),
  },
  [({ members }) => areUnique(members.map(({ name }) => name)) && areUnique(members.map(({ context }) => context)), "no name and no context twice among members"],
);

function areUnique(texts: string[]): boolean {
  return new Set(texts).size === texts.length;
}
