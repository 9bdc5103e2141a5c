import { appContainer } from "../kubernetes/containers.js";
import { colors, isColor, colorNamespacesOf, type Color } from "../app/color.js";
import { UserError } from "../util/userError.js";
import { z } from "zod";
import type { V1Pod } from "../kubernetes/client.js";
import { inOthers, type InCluster } from "../clusters/together.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { askReady, isOver, isReady } from "../kubernetes/pods.js";
import { templateAnnotation } from "../app/names.js";

/** Hash of each color's wanted pod template; null for a color that is not deployed. */
export type Templates = Record<Color, string | null>;

/** The versions that will still be there after the update: those that it does not replace or retire. */
export function staying(versions: RunningVersion[], templates: Templates): RunningVersion[] {
  return versions.filter(({ color, template }) => templates[color] === template);
}

/** A version in words. */
export function describeVersion({ color, image, cluster }: RunningVersion): string {
  return `${color} (${image})${cluster === undefined ? "" : ` in ${cluster}`}`;
}

/**
 * One refusal for each version that could not work on a schema.
 * @param what is refused because of it
 */
export function incompatible(what: string, versions: RunningVersion[], schema: Schema): UserError[] {
  return versions.flatMap((version) => {
    const why = whyIncompatible(version.range, schema);
    if (why === undefined) return [];
    return [
      new UserError({
        code: "BG-SCHEMA-INCOMPATIBLE",
        what: `${what} was refused: ${describeVersion(version)} would not work on the schema`,
        rule: why,
        next: `put a version on ${version.color} that works with it: pulumi config set ${version.color}Tag TAG`,
      }),
    ];
  });
}

/** Templates in the order of the colors, as inputs of a step carry them. */
export function sameTemplates(a: Templates, b: Templates): boolean {
  return colors.every((color) => a[color] === b[color]);
}

/**
 * The schemas that an image works with, as it says itself in the answer of /ready:
 * `{"schema": {"needs": "0002", "knows": "0004"}}`.
 */
export type SchemaRange = {
  /** The migration that it cannot do without. */
  needs: string;
  /**
   * The newest migration that there was when it was built. Younger expand migrations and backfills
   * leave it whole, because the linter lets nothing else pass; a younger contract migration takes
   * away what it may still use.
   */
  knows: string;
};

const id = z.string().regex(/^\d{4,}$/);

const answer = z.object({ schema: z.object({ needs: id, knows: id }) });

/** The range in the body of /ready; undefined when the app states none. */
export function parseRange(body: unknown): SchemaRange | undefined {
  const parsed = answer.safeParse(body);
  if (!parsed.success) return undefined;
  const { needs, knows } = parsed.data.schema;
  return { needs, knows };
}

interface SchemaChange {
  id: string;
  name: string;
  phase: string | null;
}

/**
 * What a schema consists of: the migrations that are applied to it, or will be, in the order of their ids.
 */
export type Schema = SchemaChange[];

/** Whether an image may still use what a migration takes away. One that states no range may use anything. */
export function mayUseWhatGoes(range: SchemaRange | undefined, { id, phase }: SchemaChange): boolean {
  return phase === "contract" && (range === undefined || id > range.knows);
}

/** Why an image cannot work on a schema; undefined when it can. */
export function whyIncompatible(range: SchemaRange | undefined, schema: Schema): string | undefined {
  const newest = schema.at(-1)?.id ?? "none";
  if (range !== undefined && !schema.some(({ id: each }) => each === range.needs))
    return `it needs migration ${range.needs}, and the schema is at ${newest}`;
  const taken = schema.find((change) => mayUseWhatGoes(range, change));
  return (
    taken &&
    `it ${describeKnowledge(range)}, and ${taken.id}_${taken.name} takes away what older versions use`
  );
}

export function describeKnowledge(range: SchemaRange | undefined): string {
  return range === undefined
    ? "states no schema range in the answer of /ready"
    : `knows migrations up to ${range.knows}`;
}

/** One version of the app that has pods in the cluster. */
export interface RunningVersion {
  color: Color;
  /** Hash of its pod template. */
  template: string;
  image: string;
  /** The application name of its database sessions; undefined when its pods have no PGAPPNAME. */
  sessionName: string | undefined;
  /** Undefined when it does not say, or cannot be asked. */
  range: SchemaRange | undefined;
  /** Of another cluster of the release. */
  cluster?: string;
}

/**
 * Those of this cluster, and of the others of the release: they may share a database. @throws UserError when
 * one of the others does not answer
 */
export async function readVersionsEverywhere(cluster: Cluster, where: InCluster): Promise<RunningVersion[]> {
  const elsewhere = inOthers(where, async (other, { name }) =>
    (await readRunningVersions(other, where.app)).map((version) => ({ ...version, cluster: name })),
  );
  return [...(await readRunningVersions(cluster, where.app)), ...(await elsewhere).flat()];
}

/**
 * The versions that have pods, of both colors; during a rolling update a color has two. Each is asked for its
 * schema range.
 */
export async function readRunningVersions(cluster: Cluster, app: string): Promise<RunningVersion[]> {
  const lists = await Promise.all(
    colorNamespacesOf(cluster).map((namespace) =>
      cluster.core.listNamespacedPod({ namespace, labelSelector: `app=${app}` }),
    ),
  );
  const byTemplate = new Map<string, V1Pod[]>();
  for (const pod of lists.flatMap(({ items }) => items).filter((each) => !isOver(each))) {
    const key = `${pod.metadata?.labels?.["version"] ?? ""} ${templateOf(pod)}`;
    byTemplate.set(key, [...(byTemplate.get(key) ?? []), pod]);
  }
  return Promise.all([...byTemplate.values()].map((pods) => describe(cluster, pods)));
}

async function describe(cluster: Cluster, pods: V1Pod[]): Promise<RunningVersion> {
  // Any of them speaks for all: they run the same image. One that is ready is the most likely to answer.
  const pod = pods.find(isReady) ?? pods[0];
  const color = pod?.metadata?.labels?.["version"];
  if (pod === undefined || !isColor(color)) throw new Error(`pod ${pod?.metadata?.name ?? "?"} has no color`);
  const container = appContainer(pod);
  return {
    color,
    template: templateOf(pod),
    image: container?.image ?? "unknown",
    sessionName: container?.env?.find(({ name }) => name === "PGAPPNAME")?.value,
    range: parseRange(await askReady(cluster, pod)),
  };
}

function templateOf(pod: V1Pod): string {
  return pod.metadata?.annotations?.[templateAnnotation] ?? "";
}
