import { z } from "zod";
import { colors } from "../app/color.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { appLabels } from "../app/labels.js";
import { names } from "../app/names.js";
import { parseJson } from "../util/parseJson.js";
import { mergeData, readData } from "../kubernetes/jsonConfigMap.js";

const noteSchema = z.object({
  /** Of the switch that moved traffic away from the pods. */
  id: z.string(),
  color: z.enum(colors),
  /** When the pods end it by themselves, by the API server's clock, ISO 8601. */
  until: z.string(),
  /** Nobody has to wait for it any more. */
  over: z.boolean(),
});

/** The last drain: whose pods lead their clients away, and until when. */
export type DrainNote = z.output<typeof noteSchema>;

/** In the ConfigMap of the last switch. */
const key = "drain";

/** Undefined when there was none, or somebody has garbled it. */
export async function readDrain(cluster: Cluster, app: string): Promise<DrainNote | undefined> {
  const { [key]: text = "" } = await readData(cluster, names.release(app));
  return noteSchema.safeParse(parseJson(text)).data;
}

export async function writeDrain(cluster: Cluster, app: string, note: DrainNote): Promise<void> {
  await mergeData(cluster, names.release(app), appLabels(app), { [key]: JSON.stringify(note) });
}

/** When a drain that begins at a time is over. */
export function untilWhen(from: Date, seconds: number): string {
  return new Date(from.getTime() + seconds * 1000).toISOString();
}
