import { z } from "zod";
import { appLabels, names } from "../app/names.js";
import { mergeData, readData } from "../kubernetes/jsonConfigMap.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { parseJson } from "../util/json.js";

const finding = z.object({ what: z.string(), points: z.number(), text: z.string() });

/** Since the sample before. Null is not measured, which is no figure. */
const figures = z.object({
  requests: z.int().nonnegative().nullable(),
  /** Of the requests whose status is known. */
  errorRatio: z.number().nullable(),
  p99Seconds: z.number().nullable(),
  ready: z.int(),
  pods: z.int(),
  logErrors: z.int(),
});

/** One observation of the analysis, for whoever takes it over and for whoever reads it the next morning. */
const sample = z.object({
  /** By the API server's clock, ISO 8601. */
  at: z.iso.datetime(),
  /** What was seen, as the update has said it. */
  line: z.string(),
  figures,
  score: z.number(),
  findings: z.array(finding),
});

export type Sample = z.output<typeof sample>;

const kept = z.object({ release: z.string(), samples: z.array(sample) });

/** The key of the release record's ConfigMap. */
const key = "analysis";

/** An hour of the usual interval, and what spoke against the version before it. */
const maxSamples = 120;
/** Far below the megabyte of a ConfigMap, half of which the record may need. */
const maxBytes = 128 * 1024;

/** What the analysis of a release has seen, oldest first. */
export async function readSamples(cluster: Cluster, app: string, release: string): Promise<Sample[]> {
  const text = (await readData(cluster, names.release(app)))[key];
  const read = text === undefined ? undefined : kept.safeParse(parseJson(text)).data;
  return read?.release === release ? read.samples : [];
}

/** One process at a time has the analysis, so nothing is read first. @param samples within bounds (`bounded`) */
export async function writeSamples(
  cluster: Cluster,
  app: string,
  release: string,
  samples: readonly Sample[],
): Promise<void> {
  await mergeData(cluster, names.release(app), appLabels(app), {
    [key]: JSON.stringify({ release, samples }),
  });
}

/** The newest, and of the others those that spoke against the version. */
export function bounded(samples: readonly Sample[]): Sample[] {
  const left = [...samples];
  const isTooMuch = () => left.length > maxSamples || Buffer.byteLength(JSON.stringify(left)) > maxBytes;
  while (left.length > 1 && isTooMuch()) {
    const quiet = left.slice(0, -1).findIndex(({ findings }) => findings.every(({ points }) => points <= 0));
    left.splice(Math.max(quiet, 0), 1);
  }
  return left;
}
