import { z } from "zod";
import { colors, type Color } from "../app/color.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { readDeployment, templateOf } from "../kubernetes/deployment.js";
import { appliedImage } from "./appImage.js";

export const servedSchema = z.object({ color: z.enum(colors), image: z.string(), template: z.string() });

/** What a color serves traffic with. */
export type Served = z.output<typeof servedSchema>;

/**
 * What a color serves traffic with, its image as config names it; undefined when there is none, or the program did
 * not make it.
 */
export async function readServed(cluster: Cluster, app: string, color: Color): Promise<Served | undefined> {
  const deployment = await readDeployment(cluster, app, color);
  const template = templateOf(deployment);
  const image = appliedImage(deployment);
  return template === undefined || image === undefined ? undefined : { color, image, template };
}
