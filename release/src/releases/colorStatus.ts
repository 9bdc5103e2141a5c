import { colors, type Color } from "../app/color.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { isSuspended, readCronJob } from "../kubernetes/cronJob.js";
import { readDeployment, readWorker } from "../kubernetes/deployment.js";
import { appliedImage, readChangedImage, type ChangedImage } from "../state/appImage.js";
import type { Followers, Worker } from "../config/background.js";

export interface ColorStatus {
  color: Color;
  /** live serves traffic; standby runs and could; off has no pods. */
  role: "live" | "standby" | "off";
  /** Null where there are no pods: what the Deployment names then says nothing. */
  image: string | null;
  ready: number;
  wanted: number;
  /** The percentage of traffic that it gets. */
  weight: number;
  /** What somebody has put there past config, `kubectl set image` for instance; null where nobody has. */
  changedImage: ChangedImage | null;
}

/** What config says of the workers of each color. */
export type PlannedWorkers = Record<Color, Pick<Worker, "name" | "runOn" | "replicas">[]>;

/** Pods of the release that answer no requests. */
export interface WorkerStatus {
  color: Color;
  name: string;
  ready: number;
  wanted: number;
  /** How many config gives it on this color now. */
  planned: number;
}

/** What is started by the clock. */
export interface CronJobStatus {
  color: Color;
  name: string;
  /** It starts no Jobs: as it has to be on a color that is not live. */
  suspended: boolean;
  /** Jobs of it that run. */
  running: number;
}

/** What runs in each color. */
export function readColors(
  cluster: Cluster,
  app: string,
  live: Color | undefined,
  canaryWeight: number,
): Promise<ColorStatus[]> {
  return Promise.all(
    colors.map(async (color): Promise<ColorStatus> => {
      const [deployment, changed] = await Promise.all([
        readDeployment(cluster, app, color),
        readChangedImage(cluster, app, color),
      ]);
      const wanted = deployment?.spec?.replicas ?? 0;
      return {
        color,
        role: color === live ? "live" : wanted > 0 ? "standby" : "off",
        image: wanted > 0 ? (changed?.image ?? appliedImage(deployment) ?? null) : null,
        ready: deployment?.status?.readyReplicas ?? 0,
        wanted,
        weight: live === undefined ? 0 : color === live ? 100 - canaryWeight : canaryWeight,
        changedImage: wanted > 0 ? (changed ?? null) : null,
      };
    }),
  );
}

export async function readWorkers(
  cluster: Cluster,
  app: string,
  live: Color | undefined,
  workers: PlannedWorkers,
): Promise<WorkerStatus[]> {
  const each = await Promise.all(
    colors.flatMap((color) =>
      workers[color].map(async ({ name, runOn, replicas }) => {
        const { spec, status } = (await readWorker(cluster, app, color, name)) ?? {};
        const wanted = spec?.replicas ?? 0;
        const ofIdle = runOn === "both" ? Math.min(wanted, replicas) : 0;
        const planned = color === live ? replicas : ofIdle;
        return { color, name, ready: status?.readyReplicas ?? 0, wanted, planned };
      }),
    ),
  );
  return each;
}

export function readCronJobs(
  cluster: Cluster,
  app: string,
  cronJobs: NonNullable<Followers["cronJobs"]>,
): Promise<CronJobStatus[]> {
  return Promise.all(
    colors.flatMap((color) =>
      cronJobs[color].map(async (name) => {
        const cronJob = await readCronJob(cluster, { app, color, name });
        const running = cronJob?.status?.active?.length ?? 0;
        return { color, name, suspended: isSuspended(cronJob), running };
      }),
    ),
  );
}
