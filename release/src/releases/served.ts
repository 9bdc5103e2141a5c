import type { V1Deployment } from "@kubernetes/client-node";
import { z } from "zod";
import { colors, type Color } from "../color.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { orUndefined } from "../kubernetes/orUndefined.js";
import { names, templateAnnotation } from "../names.js";

export const servedSchema = z.object({ color: z.enum(colors), image: z.string(), template: z.string() });

/** What a color serves users with. */
export type Served = z.output<typeof servedSchema>;

/** What a color's Deployment asks for now; undefined when there is none, or the program did not make it. */
export async function readServed(cluster: Cluster, app: string, color: Color): Promise<Served | undefined> {
  const deployment = await orUndefined(cluster.apps.readNamespacedDeployment({ name: names.deployment(app, color), namespace: cluster.namespace }));
  return deployment === undefined ? undefined : servedBy(deployment, color);
}

function servedBy({ spec }: V1Deployment, color: Color): Served | undefined {
  const template = spec?.template.metadata?.annotations?.[templateAnnotation];
  const image = spec?.template.spec?.containers[0]?.image;
  return template === undefined || image === undefined ? undefined : { color, image, template };
}
