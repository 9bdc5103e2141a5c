import { z } from "zod";
import { colors } from "../app/color.js";
import { appLabels, names } from "../app/names.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { mergeData, readData } from "../kubernetes/jsonConfigMap.js";
import { parseJson } from "../util/json.js";

const runSchema = z.object({
  /** "after migrations 0002" */
  moment: z.string(),
  passed: z.int(),
  failures: z.int(),
  /** Titles of the first of those. */
  failed: z.array(z.string()),
});

/** A run of the smoke suite against the live color. */
export type SuiteRun = z.output<typeof runSchema>;

/** For people. */
export function describeRun({ moment, passed, failures }: SuiteRun): string {
  return `smoke tests ${moment}: ${passed} passed, ${failures} failed`;
}

const noteSchema = z.object({
  /** The live color. */
  color: z.enum(colors),
  /** From when, and until when, by the API server's clock, ISO 8601. */
  from: z.iso.datetime(),
  at: z.iso.datetime(),
  /** observing: still, or its update has ended early. */
  state: z.enum(["observing", "unharmed", "harmed"]),
  /** Null where nobody could tell. */
  requests: z.int().nullable(),
  /** Of the requests whose status is known; null where there are none. */
  errorRatio: z.number().nullable(),
  runs: z.array(runSchema),
  /** Of harm; otherwise empty. */
  reason: z.string(),
  evidence: z.array(z.string()),
});

/** What an update has seen of the live color beside which it worked. To be shown: nobody decides anything by it. */
export type LiveNote = z.output<typeof noteSchema>;

/** Of the release record's ConfigMap. */
const key = "liveColor";

/** Of the last update that has observed it; undefined where there was none, or somebody has garbled the note. */
export async function readLiveNote(cluster: Cluster, app: string): Promise<LiveNote | undefined> {
  const text = (await readData(cluster, names.release(app)))[key];
  return text === undefined ? undefined : noteSchema.safeParse(parseJson(text)).data;
}

/** Far below the megabyte of a ConfigMap, half of which the record may need. */
const most = { runs: 8, evidence: 12, text: 500 };

export async function writeLiveNote(cluster: Cluster, app: string, note: LiveNote): Promise<void> {
  const bounded: LiveNote = {
    ...note,
    runs: note.runs.slice(-most.runs),
    reason: note.reason.slice(0, most.text),
    evidence: note.evidence.slice(0, most.evidence).map((line) => line.slice(0, most.text)),
  };
  await mergeData(cluster, names.release(app), appLabels(app), { [key]: JSON.stringify(bounded) });
}
