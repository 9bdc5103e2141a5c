import type { ClusterState, DashboardState, Job } from "./state";

/** What of a change somebody has to hear of who does not see the page; undefined: nothing of it. */
export function whatChanged(before: DashboardState, now: DashboardState): string | undefined {
  const said = [
    ...now.clusters.flatMap((cluster, index) => inCluster(before.clusters[index], cluster)),
    ...Object.values(now.jobs).flatMap((job) => ofJob(before.jobs[job.kind], job)),
    ...(now.plan !== before.plan && now.plan?.state === "made"
      ? [`The plan is made: ${now.plan.isRefused ? "something is refused" : "nothing is refused"}.`]
      : []),
    ...(now.plan !== before.plan && now.plan?.state === "failed" ? ["The plan could not be made."] : []),
    ...(now.isEnding && !before.isEnding ? ["The dashboard is ending."] : []),
  ];
  return said.length === 0 ? undefined : said.join(" ");
}

function inCluster(before: ClusterState | undefined, now: ClusterState): string[] {
  const where = now.name === null ? "" : ` of ${now.name}`;
  const live = now.release?.live ?? null;
  return [
    ...(live !== null && before?.release != null && before.release.live !== live
      ? [`Traffic${where} is on ${live} now.`]
      : []),
    ...(now.away !== null && before?.away === null ? [`The cluster${where} cannot be read.`] : []),
    ...(now.away === null && before?.away != null ? [`The cluster${where} can be read again.`] : []),
  ];
}

function ofJob(before: Job | undefined, now: Job): string[] {
  const what = `The ${now.kind} to ${now.to}`;
  if (now.end !== null && before?.end === null) return [`${what} has ended: ${now.end.text}`];
  return now.end === null && before?.startedAt !== now.startedAt ? [`${what} has begun.`] : [];
}
