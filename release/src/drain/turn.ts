import { otherColor, type Color } from "../app/color.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { messageOf } from "../util/userError.js";
import type { Say } from "../util/step.js";
import { readDrain, untilWhen, writeDrain, type DrainNote } from "./note.js";
import { tellPods } from "./pods.js";

/** Lets clients stay on the color that users have come to, where a drain of its pods continues. */
export async function letStay(
  cluster: Cluster,
  app: string,
  color: Color,
  now: Date,
  say: Say,
): Promise<void> {
  const drain = await readDrain(cluster, app);
  if (drain !== undefined && isRunning(drain, color, now)) await tellPods(cluster, { app, color }, 0, say);
}

/**
 * Traffic was rolled back: its clients may stay, and whoever still has a
 * connection to the color that was rolled back is drained. Nobody waits for it, and
 * it never fails. Nothing is done where no switch has drained anything.
 * @param seconds for how long connections are drained; 0: they are not
 */
export async function turnDrain(
  cluster: Cluster,
  app: string,
  { back, now, seconds }: { back: Color; now: Date; seconds: number },
  say: Say,
): Promise<void> {
  try {
    const drain = await readDrain(cluster, app);
    if (drain === undefined) return;
    const color = otherColor(back);
    const { id } = drain;
    await Promise.all([
      isRunning(drain, back, now) ? tellPods(cluster, { app, color: back }, 0, say) : undefined,
      seconds > 0 ? tellPods(cluster, { app, color }, seconds, say) : undefined,
      writeDrain(cluster, app, { id, color, until: untilWhen(now, seconds), over: true }),
    ]);
  } catch (error) {
    say(`clients were not led back to ${back}: ${messageOf(error)}; their connections end by their age`);
  }
}

function isRunning({ color: draining, until }: DrainNote, color: Color, now: Date): boolean {
  return draining === color && now.getTime() < Date.parse(until);
}
