import { z } from "zod";
import { objectOf, part } from "./fields.js";

const clusterRollouts = ["sequential", "parallel"] as const;
export const failureRules = ["rollback", "stop"] as const;

/** As kubeconfigs name them: ARNs and URLs among them. */
export const contextName = z
  .string()
  .max(253)
  .regex(/^\P{Cc}*$/u);

const target = z.strictObject({
  name: z.string().regex(/^[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?$/),
  context: contextName.min(1),
});
/** A cluster by the name that config gives it. */
export type Member = z.output<typeof target>;

/** What a step in one of several clusters knows of the release in the others. */
export type Together = {
  /** Of this cluster. */
  name: string;
  others: Member[];
  onFailure: (typeof failureRules)[number];
};

/** The clusters of one release. None is the one that `context` names. */
export const clusters = objectOf(
  {
    targets: part(
      z.array(target).max(20).default([]),
      "at most 20 of {name, context}; a name: lower-case letters, digits and '-', at most 32; a context of your kubeconfig",
    ),
    rollout: part(z.enum(clusterRollouts).default("sequential"), clusterRollouts.join(" or ")),
    onFailure: part(z.enum(failureRules).default("rollback"), failureRules.join(" or ")),
  },
  [
    ({ targets: members }) =>
      areUnique(members.map(({ name }) => name)) && areUnique(members.map(({ context }) => context)),
    "no name and no context twice among targets",
  ],
);

function areUnique(texts: string[]): boolean {
  return new Set(texts).size === texts.length;
}
