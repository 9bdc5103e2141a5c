import { otherColor, type Color } from "../app/color.js";
import type { Followers } from "../config/background.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { isSuspended, readCronJob } from "../kubernetes/cronJob.js";
import { readWorker } from "../kubernetes/deployment.js";
import { readLiveColor } from "../traffic/live.js";
import type { Say } from "../util/step.js";
import { readSaidColor, sayColor } from "./activeColorFile.js";
import { aloneOf, awaitStopped, startWorkers, stopWorkers } from "./activeWorkers.js";
import { resumeCronJobs, suspendCronJobs, takeOverSchedules } from "./cronJobs.js";

const noCronJobs = { blue: [], green: [] } satisfies Followers["cronJobs"];

interface Leaving {
  app: string;
  /** The color that traffic is to leave. */
  color: Color;
}

/**
 * Before traffic leaves a color, what may run on the active color alone stops there, and has ended what it had, but
 * for Jobs.
 * @returns what was stopped
 * @throws UserError when it does not stop: it all continues then
 */
export async function stopFollowers(
  cluster: Cluster,
  { app, color }: Leaving,
  { workers, cronJobs = noCronJobs, colorFile }: Followers,
  say: Say,
): Promise<string[]> {
  const crew = { app, color, workers: aloneOf(workers[color]) };
  const rota = { app, color, cronJobs: cronJobs[color] };
  try {
    if (colorFile) await sayColor(cluster, { app, said: "", tell: color }, say);
    await stopWorkers(cluster, crew);
    await suspendCronJobs(cluster, rota, say);
    await awaitStopped(cluster, crew, say);
  } catch (error) {
    // Traffic stays where it is, and so do they.
    await startWorkers(cluster, crew);
    await resumeCronJobs(cluster, rota);
    if (colorFile) await sayColor(cluster, { app, said: color, tell: color }, say);
    throw error;
  }
  return [
    ...(crew.workers.length > 0
      ? [`${crew.workers.map(({ name }) => name).join(", ")} of ${color} stopped`]
      : []),
    ...(rota.cronJobs.length > 0 ? [`CronJobs ${rota.cronJobs.join(", ")} of ${color} suspended`] : []),
    ...(colorFile ? [`pods of ${color} are told that no color is active`] : []),
  ];
}

/**
 * What follows the live color runs there, and not on the idle one: whoever has moved traffic, and however often
 * this is done, at the same moment by somebody else too.
 * @returns the live color; undefined before the first release
 * @throws UserError when workers of the idle color do not go: then those of the live one that may not be beside
 *   them are not started
 */
export async function reconcileFollowers(
  cluster: Cluster,
  app: string,
  { workers, cronJobs = noCronJobs, colorFile }: Followers,
  say: Say,
): Promise<Color | undefined> {
  for (;;) {
    const live = await readLiveColor(cluster, app);
    if (live === undefined) return undefined;
    // Traffic may have moved while somebody waited, or worked.
    const hasMoved = async () => (await readLiveColor(cluster, app)) !== live;
    const idle = otherColor(live);
    const all = workers[live];
    await startWorkers(cluster, { app, color: live, workers: all.filter(({ overlap }) => overlap) });
    const said = colorFile ? await readSaidColor(cluster, app) : [];
    if (said.includes(idle)) await sayColor(cluster, { app, said: "", tell: idle }, say);
    await stopWorkers(cluster, { app, color: idle, workers: workers[idle] });
    // They wait for no worker, nor for a Job.
    await suspendCronJobs(cluster, { app, color: idle, cronJobs: cronJobs[idle] }, say);
    const rota = { app, color: live, cronJobs: cronJobs[live] };
    await takeOverSchedules(cluster, rota);
    if (await hasMoved()) continue;
    await resumeCronJobs(cluster, rota);
    if (await hasMoved()) continue;
    await awaitStopped(cluster, { app, color: idle, workers: aloneOf(workers[idle]) }, say);
    if (await hasMoved()) continue;
    if (said.some((each) => each !== live)) await sayColor(cluster, { app, said: live, tell: live }, say);
    await startWorkers(cluster, { app, color: live, workers: aloneOf(all) });
    if (!(await hasMoved())) return live;
  }
}

/** Some of the live color are missing, or some of the other one are not gone. */
export async function needsReconcile(
  cluster: Cluster,
  { app, color: live }: { app: string; color: Color },
  { workers, cronJobs = noCronJobs, colorFile }: Followers,
): Promise<boolean> {
  const idle = otherColor(live);
  const running = async (color: Color, name: string) =>
    (await readWorker(cluster, app, color, name))?.spec?.replicas ?? 0;
  const suspended = async (color: Color, name: string) =>
    isSuspended(await readCronJob(cluster, { app, color, name }));
  const said = colorFile ? await readSaidColor(cluster, app) : [];
  const each = await Promise.all([
    ...workers[live].map(async ({ name, replicas }) => (await running(live, name)) < replicas),
    ...workers[idle].map(async ({ name }) => (await running(idle, name)) > 0),
    ...cronJobs[live].map((name) => suspended(live, name)),
    ...cronJobs[idle].map(async (name) => !(await suspended(idle, name))),
  ]);
  return each.includes(true) || said.some((color) => color !== live);
}
