import { linksToRun } from "../alerts/alert.js";
import { raiseAlert } from "../alerts/raise.js";
import { otherColor, type Color } from "../app/color.js";
import { scale } from "../capacity/scale.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { imageIn } from "../kubernetes/containers.js";
import { readDeployment, scaleWorker, templateOf } from "../kubernetes/deployment.js";
import { readLiveColor } from "../traffic/live.js";
import { messageOf, UserError } from "../util/userError.js";
import type { Say } from "../util/step.js";
import { whoami } from "../util/who.js";

/** The live color, and what an update starts beside it. */
export interface BesideLive {
  app: string;
  /** The live color. */
  color: Color;
  /** What config wants the idle color to run; null where that has no pods. */
  idleTemplate: string | null;
  /** The workers that run beside its pods. */
  idleWorkers: string[];
}

export function harmOf(color: Color, reason: string, lines: string[]): UserError {
  const idle = otherColor(color);
  return new UserError({
    code: "BG-LIVE-HARMED",
    what: `The live color, ${color}, got worse while this update worked beside it: ${reason}`,
    rule: lines.join("\n        "),
    next: `correct the version or its migrations, push a new image, then pulumi config set ${idle}Tag TAG && pulumi up; to try this one again: pulumi up`,
  });
}

export async function alertHarm(
  cluster: Cluster,
  { app, color }: BesideLive,
  { harm, reason, evidence }: { harm: UserError; reason: string; evidence: string[] },
  say: Say,
): Promise<void> {
  await raiseAlert(
    cluster,
    {
      kind: "gateFailed",
      gate: "live color",
      code: harm.code,
      app,
      namespace: cluster.namespace,
      version: { color, image: (await imageOf(cluster, app, color)) ?? "unknown" },
      who: whoami(),
      why: reason,
      at: new Date(),
      evidence,
      links: linksToRun(),
    },
    say,
  );
}

async function imageOf(cluster: Cluster, app: string, color: Color): Promise<string | undefined> {
  const deployment = await readDeployment(cluster, app, color).catch(() => undefined);
  return imageIn(deployment);
}

/**
 * @param idleBefore the pods of the idle color before this update: those are nobody's to take away
 * @returns what became of the pods of the idle color
 */
export async function takeAway(
  cluster: Cluster,
  { app, color, idleTemplate, idleWorkers }: BesideLive,
  idleBefore: string | undefined,
): Promise<string> {
  const idle = otherColor(color);
  try {
    const running = templateOf(await readDeployment(cluster, app, idle));
    if (running === undefined || running === idleBefore || running !== idleTemplate)
      return `the pods of ${idle} are not of this update, and stay`;
    // Somebody else may have moved traffic.
    if ((await readLiveColor(cluster, app)) !== color) return `${idle} has traffic, and its pods stay`;
    await scale(cluster, app, idle, 0);
    for (const worker of idleWorkers) await scaleWorker(cluster, { app, color: idle, name: worker }, 0);
    return `the pods of ${idle} were taken away`;
  } catch (error) {
    return `the pods of ${idle} could not be taken away: ${messageOf(error)}`;
  }
}
