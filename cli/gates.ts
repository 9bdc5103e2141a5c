import { z } from "zod";
import { messageOf } from "@bluegreen/release/util/userError";
import { resourceAt } from "@bluegreen/release/steps/plan";
import { gates, kindOf, steps } from "@bluegreen/release/steps/registry";
import type { Gates, PassedGate } from "../pages/views";
import { Stack } from "./pulumi/stack";

/** What of `pulumi stack export` it takes. */
const exportSchema = z.object({
  deployment: z.object({
    resources: z
      .array(z.object({ urn: z.string(), outputs: z.record(z.string(), z.unknown()).default({}) }))
      .default([]),
  }),
});

/**
 * What each gate came to when it was last passed, from the stack's state. It is a part of what is shown:
 * where it cannot be read, that is shown.
 */
export async function readGates(stack: string): Promise<Gates> {
  try {
    return gatesIn(await (await Stack.open({ name: stack })).exportDeployment());
  } catch (error) {
    return { unreadable: messageOf(error) };
  }
}

/** @param exported by `pulumi stack export` */
export function gatesIn(exported: unknown): Gates {
  const parsed = exportSchema.safeParse(exported);
  if (!parsed.success) return { unreadable: "pulumi stack export gave something else than a state" };
  const found = parsed.data.deployment.resources.map(({ urn, outputs }) => ({ ...resourceAt(urn), outputs }));
  const passed = gates.flatMap((step) =>
    found.flatMap(({ kind, name, cluster, outputs }): PassedGate[] => {
      if (kind !== kindOf(step)) return [];
      const { title = step, result, runs, resource } = steps[step];
      const color = /-(blue|green)-/.exec(name)?.[1];
      // Its owner's name ends with that of the setting's.
      const named = runs === "named" ? `${name.slice(0, -resource.length - 1)} ` : "";
      return [
        {
          gate: `${cluster === undefined ? "" : `${cluster}: `}${named}${title}${color === undefined || runs === "named" ? "" : ` of ${color}`}`,
          result: result(outputs),
        },
      ];
    }),
  );
  return { passed };
}
