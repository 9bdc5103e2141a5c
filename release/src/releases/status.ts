import type { MetricsSource } from "../analysis/limits.js";
import { describeChangedImage } from "../state/appImage.js";
import { otherColor, type Color } from "../app/color.js";
import { connect, type Cluster } from "../kubernetes/cluster.js";
import { orUndefined } from "../kubernetes/requests.js";
import { readLiveColor } from "../traffic/live.js";
import { askedDatabase } from "../migrations/ownMigrations.js";
import { readMigrationStatus, type MigrationStatus, type StatusRef } from "../migrations/status.js";
import { NotAskedError } from "../postgres/reachable.js";
import { names } from "../app/names.js";
import { messageOf } from "../util/userError.js";
import { readCanaryWeight } from "../traffic/move.js";
import type { RouterName } from "../routers/routers.js";
import type { FlatSettings } from "../config/schema.js";
import type { Strategy } from "../config/schema/database.js";
import type { Followers } from "../config/background.js";
import { readSaidColor, type SaidColor } from "../workers/activeColorFile.js";
import { readBlockedImages, type BlockedImage } from "../state/blockedImages.js";
import { readLiveNote, type LiveNote } from "../state/liveNote.js";
import { readRelease, type Release } from "../state/record.js";
import { readSamples, type Sample } from "../state/samples.js";
import { whyRollbackImpossible } from "../rollback/rollback.js";
import {
  readColors,
  readCronJobs,
  readWorkers,
  type ColorStatus,
  type CronJobStatus,
  type PlannedWorkers,
  type WorkerStatus,
} from "./colorStatus.js";

/** What is in the database, and what is not yet; or why that could not be read, or only an update reads it. */
export type SchemaStatus =
  { version: string | null; pending: MigrationStatus[] } | { unreadable: string; notAsked?: true };

export type LastSwitch = Pick<Release, "kind" | "weight" | "to" | "from" | "who" | "why" | "at" | "state">;

/** Whether traffic could be rolled back at this moment: to which color, and if not, why. */
export type Rollback = { possible: true; to: Color } | { possible: false; why: string };

/** Where a release stands. */
export interface ReleaseStatus {
  app: string;
  namespace: string;
  /** As config names it; null where the stack has only one. */
  cluster: string | null;
  /** Null before the first release. */
  live: Color | null;
  /** Whom config wants to serve traffic. */
  activeColor: Color;
  colors: ColorStatus[];
  /** Absent where config has none. */
  workers?: WorkerStatus[];
  /** Absent where config has none. */
  cronJobs?: CronJobStatus[];
  /** What the file of the pods says, in each namespace; absent where they have none. */
  activeColorFile?: SaidColor[];
  schema: SchemaStatus;
  lastSwitch: LastSwitch | null;
  /** What the analysis of that has seen, oldest first. */
  samples: Sample[];
  /** What the last update has seen of the live color beside which it worked; null where none has. */
  observed: LiveNote | null;
  rollback: Rollback;
  blockedImages: BlockedImage[];
}

export type ReleaseStatusRef = Omit<StatusRef, "strategy"> & {
  /** Where the app's metrics are, for whoever shows its traffic. */
  metrics: MetricsSource;
  /** Whose weights count; null where the active Service is all there is. */
  route: RouterName | null;
  database: FlatSettings["database"];
  /** Of each color; absent where there are none. */
  workers?: PlannedWorkers;
} & Pick<Followers, "cronJobs" | "colorFile">;

/**
 * Where a release stands, as cluster and database say. Changes nothing. A database out of reach is
 * a part of the answer: whoever asks at night has to see the rest.
 * @throws whatever keeps the cluster from being read, a live color that is unknown among it
 */
export async function readReleaseStatus(ref: ReleaseStatusRef): Promise<ReleaseStatus> {
  const { app, namespace, activeColor, route } = ref;
  const cluster = connect(ref);
  const live = await readLiveColor(cluster, app);
  const weight = live === undefined ? 0 : await readCanaryWeight(cluster, app, route, live);
  const [all, workers, cronJobs, activeColorFile, schema, [release, samples], observed, service, rollback] =
    await Promise.all([
      readColors(cluster, app, live, weight),
      ref.workers && readWorkers(cluster, app, live, ref.workers),
      ref.cronJobs && readCronJobs(cluster, app, ref.cronJobs),
      ref.colorFile && readSaidColor(cluster, app),
      readSchema(ref),
      readAnalyzed(cluster, app),
      readLiveNote(cluster, app),
      orUndefined(cluster.core.readNamespacedService({ name: names.activeService(app), namespace })),
      readRollback(ref, live, weight),
    ]);
  return {
    app,
    namespace,
    cluster: ref.together?.name ?? null,
    live: live ?? null,
    activeColor,
    colors: all,
    ...(workers !== undefined && { workers }),
    ...(cronJobs !== undefined && { cronJobs }),
    ...(activeColorFile !== undefined && { activeColorFile }),
    schema,
    lastSwitch: release === undefined ? null : asLastSwitch(release),
    samples,
    observed: observed ?? null,
    rollback,
    blockedImages: service === undefined ? [] : readBlockedImages(service),
  };
}

async function readAnalyzed(cluster: Cluster, app: string): Promise<[Release | undefined, Sample[]]> {
  const release = await readRelease(cluster, app);
  return [release, release === undefined ? [] : await readSamples(cluster, app, release.id)];
}

/** How the release's own database is shared; none where the release has nothing to ask it. */
function strategyOf({ database, folder: migrationsDir, schemaVersion }: ReleaseStatusRef): Strategy | "none" {
  return askedDatabase({ database, migrationsDir, schemaVersion, contractMigration: undefined }) ?? "none";
}

async function readSchema(ref: ReleaseStatusRef): Promise<SchemaStatus> {
  const strategy = strategyOf(ref);
  if (strategy === "none") return { version: null, pending: [] };
  if (ref.database.runIn === "cluster")
    return { unreadable: `not asked: ${new NotAskedError().message}`, notAsked: true };
  try {
    const rows = await readMigrationStatus({ ...ref, strategy });
    const [applied, pending] = [
      rows.filter(({ state }) => state === "applied"),
      rows.filter(({ state }) => state !== "applied"),
    ];
    return { version: applied.at(-1)?.id ?? null, pending };
  } catch (error) {
    return { unreadable: messageOf(error) };
  }
}

async function readRollback(
  ref: ReleaseStatusRef,
  live: Color | undefined,
  weight: number,
): Promise<Rollback> {
  if (live === undefined) return { possible: false, why: "no color is live yet" };
  // The canary weight is what there is to roll back then.
  if (weight > 0) return { possible: true, to: live };
  const why = await whyRollbackImpossible(
    ref,
    {
      from: live,
      strategy: strategyOf(ref),
      databaseSecret: ref.databaseSecret,
      runIn: ref.database.runIn,
    },
    () => undefined,
  );
  return why === undefined ? { possible: true, to: otherColor(live) } : { possible: false, why };
}

function asLastSwitch({ kind, weight, to, from, who, why, at, state }: Release): LastSwitch {
  return { kind, weight, to, from, who, why, at, state };
}

/** What of it needs attention; none: all is well. */
export function attention({
  live,
  activeColor,
  colors: all,
  workers = [],
  cronJobs = [],
  activeColorFile = [],
  schema,
  lastSwitch,
  observed,
  rollback,
  blockedImages,
}: ReleaseStatus): string[] {
  if (live === null) return ["No color is live yet: pulumi up makes the first release."];
  const found: string[] = [];
  if (live !== activeColor)
    found.push(
      `Config says ${activeColor}, and traffic is on ${live}: the next pulumi up moves it, unless pulumi config set activeColor ${live} comes first.`,
    );
  for (const { color, role, ready, wanted, changedImage } of all) {
    if (changedImage !== null)
      found.push(
        `${color} was changed by hand: ${describeChangedImage(changedImage)}. pulumi up --refresh puts back what config names, on a live color too.`,
      );
    if (ready < wanted || (role === "live" && ready === 0))
      found.push(`${color} has ${ready} of ${wanted} pods ready.`);
  }
  for (const { color, name, ready, wanted, planned } of workers) {
    if (wanted < planned)
      found.push(
        `Worker ${name} of ${color}, the live color, has ${wanted} of ${planned} pods: pulumi up starts them.`,
      );
    else if (planned === 0 && wanted > 0)
      found.push(`Worker ${name} of ${color} runs, and ${color} is not live: pulumi up stops it.`);
    else if (ready < wanted) found.push(`Worker ${name} of ${color} has ${ready} of ${wanted} pods ready.`);
  }
  for (const { color, name } of cronJobs.filter((each) => each.suspended === (each.color === live)))
    found.push(
      color === live
        ? `CronJob ${name} of ${color}, the live color, starts no Jobs: pulumi up resumes it.`
        : `CronJob ${name} of ${color} starts Jobs, and ${color} is not live: pulumi up suspends it.`,
    );
  for (const said of activeColorFile.filter((each) => each !== live))
    found.push(
      `Pods are told that ${said === "" ? "no color" : said} is active, and ${live} is live: pulumi up tells them.`,
    );
  if ("unreadable" in schema) {
    if (schema.notAsked !== true) found.push("The schema could not be read.");
  } else
    for (const { id, name } of schema.pending.filter(({ state }) => state === "refused"))
      found.push(`Migration ${id}_${name} is refused.`);
  if (observed?.state === "harmed" && observed.color === live && !(lastSwitch && lastSwitch.at > observed.at))
    found.push(
      `The last update harmed ${live}, which is live, at ${observed.at}: ${observed.reason}. Said until another update has deployed.`,
    );
  if (lastSwitch?.state === "approved")
    found.push(
      `A switch to ${lastSwitch.to.color} was let through at ${lastSwitch.at}, and has not been noted: it continues, or pulumi up continues with it.`,
    );
  if (
    !rollback.possible &&
    (lastSwitch?.state === "analyzing" || lastSwitch?.state === "standby") &&
    lastSwitch.kind === "switch" &&
    lastSwitch.from !== null
  )
    found.push("The last switch is still under analysis, and there is no rollback.");
  for (const { color, image, reason } of blockedImages.filter(({ color, image }) =>
    all.some((each) => each.color === color && each.image === image),
  ))
    found.push(`${color} runs ${image}, which was rolled back: ${reason}`);
  return found;
}
