import { z } from "zod";
import type { Baseline } from "../analysis/baseline.js";
import { colors, otherColor, type Color } from "../app/color.js";
import { appLabels, names, switchAnnotation } from "../app/names.js";
import { ApiException } from "../kubernetes/client.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { readDeployment, templateOf } from "../kubernetes/deployment.js";
import { mergeData } from "../kubernetes/jsonConfigMap.js";
import { orUndefined, withSignal, serverTime } from "../kubernetes/requests.js";
import type { RouterName } from "../routers/routers.js";
import { readLiveColor } from "../traffic/live.js";
import { readGiven } from "../traffic/move.js";
import { poll } from "../util/poll.js";
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

/**
 * approved: the gates have passed, and traffic may move. analyzing: it has. standby: the update is
 * over, and the analysis controller continues. kept: nobody analyzes any more. rolledBack: traffic
 * was rolled back.
 */
const states = ["approved", "analyzing", "standby", "kept", "rolledBack"] as const;
type ReleaseState = (typeof states)[number];

/**
 * Half a megabyte of figures where there are many pods, written by this package alone: what is inside is not
 * checked again.
 */
const baselineSchema = z.custom<Baseline>(
  (value) =>
    z.object({ observation: z.object({ pods: z.array(z.object({ name: z.string() })) }) }).safeParse(value)
      .success,
);

/**
 * What has happened, to be shown and compared. Nobody takes from it what to run, whom to ask or how far to
 * go: whoever may write a ConfigMap would decide it. That is in config (analysisSettings.ts).
 */
const releaseSchema = z.object({
  /** Also on the active Service, from the moment traffic moves. */
  id: z.string(),
  /** shift: a canary weight; traffic is on both colors by weights. */
  kind: z.enum(["switch", "rollback", "shift"]),
  /** The percentage of traffic that `to` gets: 100, or its canary weight. */
  weight: z.number().default(100),
  to: servedSchema,
  /** Null at the first release: there is nothing to roll back to. */
  from: servedSchema.nullable(),
  who: z.string(),
  why: z.string(),
  /** When the gates had passed, by the API server's clock, ISO 8601. */
  at: z.iso.datetime(),
  /** When traffic was seen to have moved: a handover of databases may have come before. Absent until then. */
  movedAt: z.iso.datetime().optional(),
  state: z.enum(states),
  /** Taken before traffic moved. */
  baseline: baselineSchema,
  /** Contract migrations whose time comes after the switch, by their ids. */
  contracts: z.object({ waiting: z.array(z.string()) }),
});

/**
 * A switch, for whoever has to analyze it or roll it back: the update, the analysis controller, a person at
 * night.
 */
export type Release = z.output<typeof releaseSchema>;

/**
 * Whether a color with this template is the rollback target: the very pods that traffic was on before the
 * last switch. They have proven themselves, so a rollback does not wait for the smoke suite.
 */
export function isRollbackTarget(
  last: Release | undefined,
  { color, template }: Pick<Served, "color" | "template">,
): boolean {
  return last?.kind === "switch" && last.from?.color === color && last.from.template === template;
}

/** How long ago traffic moved, in milliseconds. In the future is now: nobody analyzes until then. */
export function ageOf({ at, movedAt = at }: Pick<Release, "at" | "movedAt">, now: Date): number {
  return Math.max(0, now.getTime() - Date.parse(movedAt));
}

/**
 * Whether a release is in effect: traffic is where it has moved it. A later one, or somebody by hand, may have
 * moved it since.
 * @param route whose weights move; null where the active Service is all there is
 */
export async function isInEffect(
  cluster: Cluster,
  app: string,
  { id, weight, to }: Pick<Release, "id" | "weight" | "to">,
  route: RouterName | null,
  signal?: AbortSignal,
): Promise<boolean> {
  const service = await cluster.core.readNamespacedService(
    { name: names.activeService(app), namespace: cluster.namespace },
    signal && withSignal(signal),
  );
  const live = service.spec?.selector?.["version"];
  if (weight === 100) return live === to.color && service.metadata?.annotations?.[switchAnnotation] === id;
  const given = route === null ? undefined : await readGiven(cluster, app, route, signal);
  return live === otherColor(to.color) && given?.switchId === id && given.weights[to.color] === weight;
}

/**
 * Whether anybody analyzes the traffic that it moves: after a rollback it is on pods that had it before, and
 * config may give an analysis no time.
 */
export function isAnalyzed(
  { kind, from }: Pick<Release, "kind" | "from">,
  { durationSeconds }: { durationSeconds: number },
): boolean {
  return kind !== "rollback" && from !== null && durationSeconds > 0;
}

/** The one key of the ConfigMap. */
const key = "current";

/** The last switch; undefined when there was none, or somebody has garbled the note. */
export async function readRelease(cluster: Cluster, app: string): Promise<Release | undefined> {
  return (await readNote(cluster, app))?.release;
}

export async function writeRelease(cluster: Cluster, app: string, release: Release): Promise<void> {
  await mergeData(cluster, names.release(app), appLabels(app), { [key]: JSON.stringify(release) });
}

/**
 * Sets the state, unless another switch has come since, or this one was undone. @returns whether it was set
 */
export async function setState(
  cluster: Cluster,
  app: string,
  id: string,
  state: ReleaseState,
  about: Pick<Release, "movedAt"> = {},
): Promise<boolean> {
  const set = async () => {
    const note = await readNote(cluster, app);
    if (note?.release?.id !== id) return false;
    if (note.release.state === state) return true;
    // Traffic is back: whoever still works on the switch comes too late.
    if (note.release.state === "rolledBack") return false;
    const { metadata, data } = note;
    try {
      const body = {
        metadata,
        data: { ...data, [key]: JSON.stringify({ ...note.release, ...about, state }) },
      };
      await cluster.core.replaceNamespacedConfigMap({
        name: names.release(app),
        namespace: cluster.namespace,
        body,
      });
      return true;
    } catch (error) {
      // Changed between the read and the write: read again.
      if (!(error instanceof ApiException) || error.code !== 409) throw error;
      return undefined;
    }
  };
  return poll(set, { timeoutMs: changesMs });
}

/** For others who write into it at the same moment. */
const changesMs = 30_000;

async function readNote(cluster: Cluster, app: string) {
  const configMap = await orUndefined(
    cluster.core.readNamespacedConfigMap({ name: names.release(app), namespace: cluster.namespace }),
  );
  if (configMap === undefined) return undefined;
  const { metadata = {}, data = {} } = configMap;
  return { metadata, data, release: parse(data[key]) };
}

function parse(text: string | undefined): Release | undefined {
  try {
    return releaseSchema.safeParse(JSON.parse(text ?? "null")).data;
  } catch {
    return undefined;
  }
}

/** Until when a color is kept as the rollback target, by the API server's clock; undefined where it is none. */
export async function standbyOf(
  cluster: Cluster,
  app: string,
  color: Color,
  standbyHours: number,
): Promise<{ until: Date; isOver: boolean } | undefined> {
  const [live, release, served] = await Promise.all([
    readLiveColor(cluster, app),
    readRelease(cluster, app),
    readServed(cluster, app, color),
  ]);
  if (release === undefined || served === undefined || live === color || !isRollbackTarget(release, served))
    return undefined;
  const until = new Date(Date.parse(release.at) + standbyHours * 3_600_000);
  return { until, isOver: (await serverTime(cluster)) >= until };
}

/** The same; undefined also where its time is over. */
export async function keptUntil(
  cluster: Cluster,
  app: string,
  color: Color,
  standbyHours: number,
): Promise<Date | undefined> {
  const standby = await standbyOf(cluster, app, color, standbyHours);
  return standby?.isOver === false ? standby.until : undefined;
}
