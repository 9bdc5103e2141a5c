import type { Color } from "../app/color.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { serverTime } from "../kubernetes/requests.js";
import { readLiveColor } from "../traffic/live.js";
import { isReleasing } from "../state/releaseLock.js";
import { messageOf } from "../util/userError.js";
import type { AnalysisSettings } from "../config/analysisSettings.js";
import { withdrawApproval } from "../state/approval.js";
import { ageOf, isInEffect, readRelease, setState, type Release } from "../state/record.js";
import { rollBackRelease } from "./rollBackRelease.js";
import type { Member } from "../config/clusters.js";
import type { Say } from "../util/step.js";
import { reach, type InCluster } from "../clusters/together.js";
import { bluegreen } from "../util/bluegreenCommand.js";

/** Why traffic of the other clusters does not stay where this release has moved it. */
export interface Failure {
  /** The color that the release moves traffic to. */
  color: Color;
  reason: string;
  evidence: string[];
  by: string;
}

/**
 * The error of a release that has failed in one of several clusters: first of all traffic of the
 * others is rolled back where config wants that, and then it is said where traffic of each is.
 */
export async function failTogether(
  where: InCluster & AnalysisSettings,
  failure: Failure,
  error: unknown,
  say: Say,
): Promise<Error> {
  const { together } = where;
  if (together === null) return error instanceof Error ? error : new Error(String(error));
  const outcomes =
    together.onFailure === "rollback"
      ? await Promise.all(
          together.others.map((member) =>
            rollBackIn(
              member,
              where,
              { ...failure, reason: `cluster ${together.name}: ${failure.reason}` },
              say,
            ),
          ),
        )
      : [];
  return new Error(
    [messageOf(error), ...outcomes.flat(), await describeEverywhere(where, failure.color)].join("\n"),
    { cause: error },
  );
}

/**
 * Never throws: one cluster that is away does not keep the others from rolling back. @returns what there is to say of
 * it
 */
async function rollBackIn(
  member: Member,
  where: InCluster & AnalysisSettings,
  failure: Failure,
  say: Say,
): Promise<string[]> {
  const { name, context } = member;
  const { app, route, standbyHours } = where;
  try {
    const cluster = await reach(member, where);
    const release = await ofThisRelease(cluster, app, failure.color, standbyHours);
    if (release === undefined) return [];
    if (release.state === "approved") {
      await withdrawApproval(cluster, app, release.to.color);
      await setState(cluster, app, release.id, "rolledBack");
    }
    if (!(await isInEffect(cluster, app, release, route))) return [];
    const back = await rollBackRelease(
      { where: { ...where, context }, undone: release, settings: where, ...failure },
      (line) => {
        say(`${name}: ${line}`);
      },
    );
    return back ? [`Traffic of cluster ${name} is back on ${release.from?.color ?? "the other color"}.`] : [];
  } catch (error) {
    return [
      `Traffic of cluster ${name} was NOT rolled back: ${messageOf(error)}\n  then: ${bluegreen} rollback --cluster ${name}`,
    ];
  }
}

/**
 * The last switch to the color, if this update makes it or continues it, and there is something to roll back
 * to.
 */
async function ofThisRelease(
  cluster: Cluster,
  app: string,
  color: Color,
  standbyHours: number,
): Promise<Release | undefined> {
  const release = await readRelease(cluster, app);
  // A rollback of a rollback would return to what it has left.
  if (
    release?.kind !== "switch" ||
    release.to.color !== color ||
    release.from === null ||
    !isReleasing(cluster, app)
  )
    return undefined;
  // Its lock may have been taken for another change, long after.
  return ageOf(release, await serverTime(cluster)) < standbyHours * 3_600_000 ? release : undefined;
}

/** Where traffic of each cluster is, and what to do from there. Never throws. */
async function describeEverywhere(where: InCluster, color: Color): Promise<string> {
  const { app, context, together } = where;
  const members = together === null ? [] : [{ name: together.name, context }, ...together.others];
  const live = await Promise.all(
    members.map(async (member) => {
      const found = await reach(member, where)
        .then((cluster) => readLiveColor(cluster, app))
        .catch(() => "unknown" as const);
      return { name: member.name, live: found };
    }),
  );
  const said = `Traffic is on: ${live.map((each) => `${each.live ?? "none"} in ${each.name}`).join(", ")}.`;
  const others = [...new Set(live.map((each) => each.live))].filter((each) => each !== color);
  const away = others.find((each) => each === "blue" || each === "green");
  if (others.length === 0 || away === undefined) return said;
  return `${said}\n  back everywhere: pulumi config set activeColor ${away} && pulumi up\n  to continue:     pulumi up, once the cause is gone; where ${color} is blocked, ${bluegreen} unblock ${color} before`;
}
