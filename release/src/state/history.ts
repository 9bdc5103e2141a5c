import { z } from "zod";
import type { Cluster } from "../kubernetes/cluster.js";
import { appLabels, names } from "../app/names.js";
import { mergeData, readData } from "../kubernetes/jsonConfigMap.js";
import { servedSchema } from "./record.js";

const entrySchema = z.object({
  kind: z.enum(["switch", "rollback", "shift"]),
  /** The percentage of traffic that moved. */
  weight: z.number().default(100),
  to: servedSchema,
  /** Null at the first release. */
  from: servedSchema.nullable(),
  who: z.string(),
  why: z.string(),
  /** By the API server's clock, ISO 8601. */
  at: z.string(),
  /** What the analysis saw; empty for whatever a person asked for. */
  evidence: z.array(z.string()),
});

/** Traffic moved from one color to the other. */
export type HistoryEntry = z.output<typeof entrySchema>;

/** A ConfigMap holds a mebibyte, an entry less than 4 KiB: years of releases, with room to spare. */
const entriesMax = 200;

/** Oldest first. An entry that somebody has garbled is left out. */
export async function readHistory(cluster: Cluster, app: string): Promise<HistoryEntry[]> {
  return Object.entries(await readData(cluster, names.history(app)))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, text]) => {
      const entry = parse(text);
      return entry === undefined ? [] : [entry];
    });
}

/** @param id of the switch: noted twice, it stands there once */
export async function addHistory(
  cluster: Cluster,
  app: string,
  id: string,
  entry: z.input<typeof entrySchema>,
): Promise<void> {
  const name = names.history(app);
  const key = `${entry.at.replaceAll(":", "")}-${entry.kind}-${id}`;
  const old = Object.keys(await readData(cluster, name)).sort();
  const dropped = old.slice(0, Math.max(0, old.length + 1 - entriesMax));
  await mergeData(cluster, name, appLabels(app), {
    ...Object.fromEntries(dropped.map((each) => [each, null])),
    [key]: JSON.stringify(entry),
  });
}

function parse(text: string): HistoryEntry | undefined {
  try {
    return entrySchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
