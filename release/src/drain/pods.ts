import type { Color } from "../app/color.js";
import { NoAnswerError } from "../util/fetchText.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { isCurrent, podsOfColor } from "../kubernetes/pods.js";
import { mapBounded } from "../util/mapBounded.js";
import { messageOf } from "../util/userError.js";
import type { Say } from "../util/step.js";
import { askDrain, drainPod, type DrainPod, type DrainState } from "./pod.js";

/** Each of them is two connections to the API server for a few tens of milliseconds. */
const atOnce = 16;
const tellAllMs = 10_000;

export interface ColorPods {
  app: string;
  color: Color;
}

export interface FoundPods {
  pods: DrainPod[];
  /** Those without a drain port. */
  unmeasured: number;
}

/** The running pods of a color, in one request; those that are about to stop drain by themselves. */
export async function findDrainPods(
  cluster: Cluster,
  target: ColorPods,
  signal: AbortSignal,
): Promise<FoundPods> {
  const running = (await podsOfColor(cluster, target, signal)).filter(
    (pod) => isCurrent(pod) && pod.status?.phase === "Running",
  );
  const pods = running.flatMap((pod) => drainPod(pod) ?? []);
  return { pods, unmeasured: running.length - pods.length };
}

/**
 * @param secondsFor what a pod is told; undefined to only ask it. @returns for each pod what is open;
 * undefined where it does not answer
 */
export async function askPods(
  cluster: Cluster,
  pods: readonly DrainPod[],
  signal: AbortSignal,
  secondsFor: (pod: DrainPod) => number | undefined,
): Promise<(DrainState | undefined)[]> {
  return mapBounded(pods, atOnce, async (pod) => {
    try {
      return await askDrain(cluster, pod, signal, secondsFor(pod));
    } catch (error) {
      if (error instanceof NoAnswerError) return undefined;
      throw error;
    }
  });
}

/**
 * Tells all pods of a color to lead their clients away for so long, or with 0 that they may stay,
 * and waits for none of it. Never fails: what cannot be told is said, and ends by itself.
 */
export async function tellPods(
  cluster: Cluster,
  target: ColorPods,
  seconds: number,
  say: Say,
): Promise<void> {
  const what =
    seconds === 0 ? `that clients of ${target.color} may stay` : `to lead clients away from ${target.color}`;
  try {
    const signal = AbortSignal.timeout(tellAllMs);
    const { pods } = await findDrainPods(cluster, target, signal);
    const answers = await askPods(cluster, pods, signal, () => seconds);
    const silent = answers.filter((answer) => answer === undefined).length;
    if (silent > 0) say(`${silent} of ${pods.length} pods could not be told ${what}`);
  } catch (error) {
    say(`nobody could be told ${what}: ${messageOf(error)}`);
  }
}
