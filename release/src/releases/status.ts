import { colors, otherColor, type Color } from "../color.js";
import { connect, type Cluster } from "../kubernetes/cluster.js";
import { readDeployment } from "../kubernetes/deployment.js";
import { orUndefined } from "../kubernetes/orUndefined.js";
import { readLiveColor } from "../live.js";
import { readMigrationStatus, type MigrationStatus, type StatusRef } from "../migrations/status.js";
import { names } from "../names.js";
import { messageOf } from "../refusal.js";
import { readShare } from "../route/move.js";
import type { RouteKind } from "../route/route.js";
import type { FlatSettings } from "../settings/settings.js";
import { readMarks, type Mark } from "./marks.js";
import { readRelease, type Release } from "./record.js";
import { whyNoWayBack } from "./rollback.js";

export interface ColorStatus {
  color: Color;
  /** live serves users; standby runs and could; off has no pods. */
  role: "live" | "standby" | "off";
  /** Null where there are no pods: what the Deployment names then says nothing. */
  image: string | null;
  ready: number;
  wanted: number;
  /** How many of 100 users it has. */
  users: number;
}

/** What is in the database, and what is not yet; or why that could not be read. */
export type SchemaStatus = { version: string | null; pending: MigrationStatus[] } | { unreadable: string };

export type LastSwitch = Pick<Release, "kind" | "share" | "to" | "from" | "who" | "why" | "at" | "state">;

/** Whether users could be taken back at this moment: to which color, and if not, why. */
export type Rollback = { possible: true; to: Color } | { possible: false; why: string };

/** Where a release stands. */
export interface ReleaseStatus {
  app: string;
  namespace: string;
  /** As config names it; null where the stack has only one. */
  cluster: string | null;
  /** Null before the first release. */
  live: Color | null;
  /** Whom config wants to serve users. */
  activeColor: Color;
  colors: ColorStatus[];
  schema: SchemaStatus;
  lastSwitch: LastSwitch | null;
  rollback: Rollback;
  marks: Mark[];
}

export type ReleaseStatusRef = Omit<StatusRef, "strategy"> & {
  /** Whose weights count; null where the active Service is all there is. */
  route: RouteKind | null;
  database: FlatSettings["database"];
};

/**
 * Where a release stands, as cluster and database say. Changes nothing. A database out of reach is
 * a part of the answer: whoever asks at night has to see the rest.
 * @throws whatever keeps the cluster from being read, a live color that is unknown among it
 */
export async function readReleaseStatus(ref: ReleaseStatusRef): Promise<ReleaseStatus> {
  const { app, namespace, activeColor, route } = ref;
  const cluster = connect(ref);
  const live = await readLiveColor(cluster, app);
  const share = live === undefined ? 0 : await readShare(cluster, app, route, live);
  const [all, schema, release, service, rollback] = await Promise.all([
    readColors(cluster, app, live, share),
    readSchema(ref),
    readRelease(cluster, app),
    orUndefined(cluster.core.readNamespacedService({ name: names.activeService(app), namespace })),
    readRollback(ref, live, share),
  ]);
  return { app, namespace, cluster: ref.together?.name ?? null, live: live ?? null, activeColor, colors: all, schema, lastSwitch: release === undefined ? null : asLastSwitch(release), rollback, marks: service === undefined ? [] : readMarks(service) };
}

/** What runs in each color. */
export function readColors(cluster: Cluster, app: string, live: Color | undefined, share: number): Promise<ColorStatus[]> {
  return Promise.all(
    colors.map(async (color): Promise<ColorStatus> => {
      const deployment = await readDeployment(cluster, app, color);
      const wanted = deployment?.spec?.replicas ?? 0;
      return {
        color,
        role: color === live ? "live" : wanted > 0 ? "standby" : "off",
        image: wanted > 0 ? (deployment?.spec?.template.spec?.containers[0]?.image ?? null) : null,
        ready: deployment?.status?.readyReplicas ?? 0,
        wanted,
        users: live === undefined ? 0 : color === live ? 100 - share : share,
      };
    }),
  );
}

async function readSchema(ref: ReleaseStatusRef): Promise<SchemaStatus> {
  const { strategy } = ref.database;
  if (strategy === "none") return { version: null, pending: [] };
  try {
    const rows = await readMigrationStatus({ ...ref, strategy });
    const [applied, pending] = [rows.filter(({ state }) => state === "applied"), rows.filter(({ state }) => state !== "applied")];
    return { version: applied.at(-1)?.id ?? null, pending };
  } catch (error) {
    return { unreadable: messageOf(error) };
  }
}

async function readRollback(ref: ReleaseStatusRef, live: Color | undefined, share: number): Promise<Rollback> {
  if (live === undefined) return { possible: false, why: "no color has users yet" };
  // A share is what there is to take back then.
  if (share > 0) return { possible: true, to: live };
  const why = await whyNoWayBack(ref, { from: live, strategy: ref.database.strategy }, () => undefined);
  return why === undefined ? { possible: true, to: otherColor(live) } : { possible: false, why };
}

function asLastSwitch({ kind, share, to, from, who, why, at, state }: Release): LastSwitch {
  return { kind, share, to, from, who, why, at, state };
}

/** What of it somebody should look at; none: all is well. */
export function attention({ live, activeColor, colors: all, schema, lastSwitch, rollback, marks }: ReleaseStatus): string[] {
  if (live === null) return ["No color has users yet: pulumi up makes the first release."];
  const found: string[] = [];
  if (live !== activeColor) found.push(`Config says ${activeColor}, and users are on ${live}: the next pulumi up moves them, unless pulumi config set activeColor ${live} comes first.`);
  for (const { color, role, ready, wanted } of all) {
    if (ready < wanted || (role === "live" && ready === 0)) found.push(`${color} has ${ready} of ${wanted} pods ready.`);
  }
  if ("unreadable" in schema) found.push("The schema could not be read.");
  else for (const { id, name } of schema.pending.filter(({ state }) => state === "refused")) found.push(`Migration ${id}_${name} is refused.`);
  if (lastSwitch?.state === "permitted") found.push(`A switch to ${lastSwitch.to.color} was let through at ${lastSwitch.at}, and has not been noted: it goes on, or pulumi up goes on with it.`);
  if (!rollback.possible && (lastSwitch?.state === "watching" || lastSwitch?.state === "standby") && lastSwitch.kind === "switch" && lastSwitch.from !== null) found.push("The last switch is still watched, and there is no way back.");
  for (const { color, image, reason } of marks.filter(({ color, image }) => all.some((each) => each.color === color && each.image === image))) found.push(`${color} runs ${image}, which was rolled back: ${reason}`);
  return found;
}
