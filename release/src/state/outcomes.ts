import { z } from "zod";
import type { Cluster } from "../kubernetes/cluster.js";
import { mergeData, readData } from "../kubernetes/jsonConfigMap.js";
import { appLabels, names } from "../app/names.js";
import { parseJson } from "../util/json.js";

const outcomeSchema = z.object({
  /** Hash of the pod template that it was for. */
  template: z.string(),
  version: z.string(),
  hasPassed: z.boolean(),
  /** A sentence's end: "ended with code 1". */
  how: z.string(),
  seconds: z.number(),
  /** When it ended, by the API server's clock, ISO 8601. */
  at: z.string(),
  /** The last lines that it wrote. */
  lines: z.array(z.string()),
});

/** What a program of the user's came to, beside the record of the switch. To be shown and compared. */
export type Outcome = z.output<typeof outcomeSchema>;

/** @param key of the program: another run of it takes its place */
export async function writeOutcome(
  cluster: Cluster,
  app: string,
  key: string,
  outcome: Outcome,
): Promise<void> {
  await mergeData(cluster, names.release(app), appLabels(app), { [key]: JSON.stringify(outcome) });
}

/** Undefined where there is none, or somebody has garbled it. */
export async function readOutcome(cluster: Cluster, app: string, key: string): Promise<Outcome | undefined> {
  const text = (await readData(cluster, names.release(app)))[key];
  return text === undefined ? undefined : outcomeSchema.safeParse(parseJson(text)).data;
}
