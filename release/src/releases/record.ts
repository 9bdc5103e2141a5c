import { ApiException } from "../kubernetes/client.js";
import { z } from "zod";
import { otherColor } from "../color.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { orUndefined } from "../kubernetes/orUndefined.js";
import { withSignal } from "../kubernetes/withSignal.js";
import { names, switchAnnotation } from "../names.js";
import { readGiven } from "../route/move.js";
import { routeKinds } from "../route/route.js";
import { strategies, watchLimits } from "../settings/schema.js";
import type { Baseline } from "../watch/observe.js";
import { mergeData } from "./jsonConfigMap.js";
import { servedSchema, type Served } from "./served.js";

/**
 * permitted: the gates have passed, and users may move. watching: they have. standby: the update is
 * over, and the watcher in the cluster watches on. kept: nobody watches any more. rolledBack: users
 * were taken back.
 */
const states = ["permitted", "watching", "standby", "kept", "rolledBack"] as const;
export type ReleaseState = (typeof states)[number];

/** What it takes to hand the writing over to the other color's database; null where both colors share one. */
const databaseSchema = z.object({
  strategy: z.enum(strategies).exclude(["shared"]),
  acceptLoss: z.boolean(),
  rebuildCommand: z.array(z.string()),
  budgetSeconds: z.number(),
  drainSeconds: z.number(),
});

/** Half a megabyte of figures where there are many pods, written by this package alone: what is inside is not looked at again. */
const baselineSchema = z.custom<Baseline>((value) => z.object({ reading: z.object({ pods: z.array(z.object({ name: z.string() })) }) }).safeParse(value).success);

const releaseSchema = z.object({
  /** Also on the active Service, from the moment users move. */
  id: z.string(),
  /** share: a part of the users only, who come to both colors by weights. */
  kind: z.enum(["switch", "rollback", "share"]),
  /** How many of 100 users `to` gets. */
  share: z.number().default(100),
  /** Whose weights move with the active Service; null where that is all there is. */
  route: z.enum(routeKinds).nullable().default(null),
  to: servedSchema,
  /** Null at the first release: there is nothing to go back to. */
  from: servedSchema.nullable(),
  who: z.string(),
  why: z.string(),
  /** By the API server's clock, ISO 8601. */
  at: z.string(),
  state: z.enum(states),
  limits: watchLimits,
  /** Taken before users moved. */
  baseline: baselineSchema,
  database: databaseSchema.nullable(),
  /** Contract migrations whose time comes after the switch, by their ids. */
  contracts: z.object({ waiting: z.array(z.string()), afterHours: z.number() }),
});

/** A switch, for whoever has to watch it or take it back: the update, the watcher in the cluster, a person at night. */
export type Release = z.output<typeof releaseSchema>;

/**
 * Whether a color with this template is the way back: the very pods that users were on before the
 * last switch. They have proven themselves, so a rollback does not wait for the smoke suite.
 */
export function isWayBack(last: Release | undefined, { color, template }: Pick<Served, "color" | "template">): boolean {
  return last?.kind === "switch" && last.from?.color === color && last.from.template === template;
}

/** Whether users are where a release has brought them: a later one, or somebody by hand, may have moved them since. */
export async function isWhereUsersAre(cluster: Cluster, app: string, { id, share, route, to }: Pick<Release, "id" | "share" | "route" | "to">, signal?: AbortSignal): Promise<boolean> {
  const service = await cluster.core.readNamespacedService({ name: names.activeService(app), namespace: cluster.namespace }, signal && withSignal(signal));
  const live = service.spec?.selector?.["version"];
  if (share === 100) return live === to.color && service.metadata?.annotations?.[switchAnnotation] === id;
  const given = route === null ? undefined : await readGiven(cluster, app, route, signal);
  return live === otherColor(to.color) && given?.switchId === id && given.weights[to.color] === share;
}

/** Whether anybody watches the users that it moves: on the way back they are on pods that they had before, and config may give a watch no time. */
export function isWatched({ kind, from, limits }: Pick<Release, "kind" | "from" | "limits">): boolean {
  return kind !== "rollback" && from !== null && limits.seconds > 0;
}

/** The one key of the ConfigMap. */
const key = "current";

/** The last switch; undefined when there was none, or somebody has garbled the note. */
export async function readRelease(cluster: Cluster, app: string): Promise<Release | undefined> {
  return (await readNote(cluster, app))?.release;
}

export async function writeRelease(cluster: Cluster, app: string, release: Release): Promise<void> {
  await mergeData(cluster, names.release(app), app, { [key]: JSON.stringify(release) });
}

/** Sets the state, unless another switch has come since. @returns whether it was set */
export async function setState(cluster: Cluster, app: string, id: string, state: ReleaseState): Promise<boolean> {
  for (;;) {
    const note = await readNote(cluster, app);
    if (note?.release?.id !== id) return false;
    if (note.release.state === state) return true;
    const { metadata, data } = note;
    try {
      const body = { metadata, data: { ...data, [key]: JSON.stringify({ ...note.release, state }) } };
      await cluster.core.replaceNamespacedConfigMap({ name: names.release(app), namespace: cluster.namespace, body });
      return true;
    } catch (error) {
      // Changed between the look and the write: look again.
      if (!(error instanceof ApiException) || error.code !== 409) throw error;
    }
  }
}

async function readNote(cluster: Cluster, app: string) {
  const configMap = await orUndefined(cluster.core.readNamespacedConfigMap({ name: names.release(app), namespace: cluster.namespace }));
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
