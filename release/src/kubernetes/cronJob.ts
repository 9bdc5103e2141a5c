import type { V1CronJob, V1Job } from "./client.js";
import { namespaceOf, type Color } from "../app/color.js";
import { asSelector, workersSelector, names, workerLabel } from "../app/names.js";
import type { Cluster } from "./cluster.js";
import { asMergePatch, mergePatched } from "./patch.js";
import { orUndefined } from "./requests.js";

/** A CronJob of a color, by its name in config. */
export interface CronJobRef {
  app: string;
  color: Color;
  name: string;
}

function locate(cluster: Cluster, { app, color, name }: CronJobRef) {
  return { namespace: namespaceOf(cluster, color), name: names.worker(app, color, name) };
}

/** Undefined where there is none yet. */
export function readCronJob(cluster: Cluster, of: CronJobRef): Promise<V1CronJob | undefined> {
  return orUndefined(cluster.batch.readNamespacedCronJob(locate(cluster, of)));
}

/** Whether it starts no Jobs. One that is not there starts none, either. */
export function isSuspended(cronJob: V1CronJob | undefined): boolean {
  return cronJob === undefined || cronJob.spec.suspend === true;
}

export async function setSuspended(cluster: Cluster, of: CronJobRef, suspend: boolean): Promise<void> {
  const request = { ...locate(cluster, of), body: { spec: { suspend } } };
  await mergePatched(() => cluster.batch.patchNamespacedCronJob(request, asMergePatch));
}

/** From then on its controller takes every time of the schedule before it for one that had its Job. */
export async function setLastScheduled(
  cluster: Cluster,
  of: CronJobRef,
  lastScheduleTime: Date,
): Promise<void> {
  const request = { ...locate(cluster, of), body: { status: { lastScheduleTime } } };
  await mergePatched(() => cluster.batch.patchNamespacedCronJobStatus(request, asMergePatch));
}

/** Its Jobs, as far as they are still there. */
export async function jobsOf(cluster: Cluster, { app, color, name }: CronJobRef): Promise<V1Job[]> {
  const { items } = await cluster.batch.listNamespacedJob({
    namespace: namespaceOf(cluster, color),
    labelSelector: asSelector({ ...workersSelector(app, color), [workerLabel]: name }),
  });
  return items;
}

/** The time of the schedule that a Job was started for; undefined where a person has started it. */
export function scheduledTimeOf({ metadata }: V1Job): Date | undefined {
  const text = metadata?.annotations?.["batch.kubernetes.io/cronjob-scheduled-timestamp"];
  return text === undefined ? undefined : new Date(text);
}
