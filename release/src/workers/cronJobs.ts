import { otherColor, type Color } from "../app/color.js";
import type { V1CronJobSpec } from "../kubernetes/client.js";
import type { Cluster } from "../kubernetes/cluster.js";
import {
  isSuspended,
  jobsOf,
  readCronJob,
  scheduledTimeOf,
  setLastScheduled,
  setSuspended,
  type CronJobRef,
} from "../kubernetes/cronJob.js";
import { serverTime } from "../kubernetes/requests.js";
import type { Say } from "../util/step.js";

/** The CronJobs of one color. */
interface Rota {
  app: string;
  color: Color;
  /** Names of them. */
  cronJobs: readonly string[];
}

/**
 * They start no more Jobs. One that runs is left alone and not waited for: it may take hours, and ends on the version
 * that it has begun with.
 */
export async function suspendCronJobs(
  cluster: Cluster,
  { app, color, cronJobs }: Rota,
  say: Say,
): Promise<void> {
  for (const name of cronJobs) {
    const cronJob = await readCronJob(cluster, { app, color, name });
    if (isSuspended(cronJob)) continue;
    await setSuspended(cluster, { app, color, name }, true);
    const running = (cronJob?.status?.active ?? []).map((job) => job.name ?? "?");
    if (running.length > 0)
      say(
        `CronJob ${name} of ${color} is suspended; what it has begun ends on ${color}: ${running.join(", ")}`,
      );
  }
}

/** One that is not there yet is made suspended, and resumed by the update that makes it. */
export async function resumeCronJobs(cluster: Cluster, { app, color, cronJobs }: Rota): Promise<void> {
  for (const name of cronJobs) {
    const cronJob = await readCronJob(cluster, { app, color, name });
    if (cronJob !== undefined && isSuspended(cronJob))
      await setSuspended(cluster, { app, color, name }, false);
  }
}

/**
 * Before those of a color are resumed: they continue where the other color's have ended. As soon as a CronJob is
 * resumed, its controller starts a Job for the newest time of its schedule since `status.lastScheduleTime`, however
 * long it was suspended. That of a color that comes back after days is days old, and the other color has served all
 * times since: the Job would be a second one for the same time. With the other's `lastScheduleTime` it is started only
 * for a time that came while traffic moved, when both were suspended, and once.
 */
export async function takeOverSchedules(cluster: Cluster, { app, color, cronJobs }: Rota): Promise<void> {
  for (const name of cronJobs) {
    const own = { app, color, name };
    const { metadata, spec, status } = (await readCronJob(cluster, own)) ?? {};
    if (spec?.suspend !== true) continue;
    const served = await servedBy(cluster, { ...own, color: otherColor(color) }, spec);
    // One that has never started a Job has missed nothing from before it was made.
    const since = status?.lastScheduleTime ?? metadata?.creationTimestamp;
    if (served !== undefined && (since === undefined || served > since))
      await setLastScheduled(cluster, own, served);
  }
}

/** The last time of a schedule that another CronJob has served; undefined where it never has. */
async function servedBy(
  cluster: Cluster,
  other: CronJobRef,
  schedule: V1CronJobSpec,
): Promise<Date | undefined> {
  const { spec, status } = (await readCronJob(cluster, other)) ?? {};
  // Nobody has owed anything by a schedule that is new or has changed: it begins now.
  if (spec?.schedule !== schedule.schedule || spec.timeZone !== schedule.timeZone) return serverTime(cluster);
  // A Job that is started in the moment of the suspension is missing in the status: the controller's conflicts then.
  const times = (await jobsOf(cluster, other)).flatMap((job) => scheduledTimeOf(job) ?? []);
  return [...times, ...(status?.lastScheduleTime === undefined ? [] : [status.lastScheduleTime])]
    .toSorted((a, b) => b.getTime() - a.getTime())
    .at(0);
}
