import { z } from "zod";
import { colors, type Color } from "../app/color.js";
import type { ClusterRef } from "../kubernetes/cluster.js";
import { followObject } from "../kubernetes/followObject.js";
import { names } from "../app/names.js";
import { type RouterName, weightObjects } from "../routers/routers.js";

export interface FollowUsers {
  /**
   * Where the active Service leads: the color, or undefined where there is no such Service any more or it
   * leads to neither.
   */
  live: (color: Color | undefined) => void;
  /** An object that holds the weights of both colors has changed. */
  weights: () => void;
}

const leadsTo = z.object({ spec: z.object({ selector: z.object({ version: z.enum(colors) }) }) });

/** Tells what moves traffic, at once and each time that it changes, until the signal comes. */
export async function followUsers(
  where: ClusterRef & { app: string; route: RouterName | null },
  { live, weights }: FollowUsers,
  signal: AbortSignal,
): Promise<void> {
  const service = { group: "", version: "v1", plural: "services", name: names.activeService(where.app) };
  await Promise.all([
    followObject(
      where,
      service,
      (found) => {
        live(leadsTo.safeParse(found).data?.spec.selector.version);
      },
      signal,
    ),
    ...weightObjects(where.route, where.app).map((at) => followObject(where, at, weights, signal)),
  ]);
}
