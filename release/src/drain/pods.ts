import { z } from "zod";
import { type Color, type NamespacedName } from "../app/color.js";
import { variables } from "../app/names.js";
import type { V1Pod } from "../kubernetes/client.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { appContainer } from "../kubernetes/containers.js";
import { isCurrent, podsOfColor, whereIs } from "../kubernetes/pods.js";
import { forwardPod } from "../kubernetes/portForward.js";
import { NoAnswerError, fetchText } from "../util/http.js";
import { parseJson } from "../util/json.js";
import { mapBounded } from "../util/mapBounded.js";
import type { Say } from "../util/step.js";
import { messageOf } from "../util/userError.js";

/** Each of them is two connections to the API server for a few tens of milliseconds. */
const atOnce = 16;
const tellAllMs = 10_000;

export interface ColorPods {
  app: string;
  color: Color;
}

interface FoundPods {
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
 * Tells all pods of a color to drain for so long, or with 0 that clients may stay,
 * and waits for none of it. Never fails: what cannot be told is said, and ends by itself.
 */
export async function tellPods(
  cluster: Cluster,
  target: ColorPods,
  seconds: number,
  say: Say,
): Promise<void> {
  const what =
    seconds === 0 ? `that clients of ${target.color} may stay` : `to drain clients of ${target.color}`;
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

const count = z.int().min(0);
const stateSchema = z.object({ draining: z.boolean(), connections: count, streams: count, requests: count });

/** What is open on a pod now. The contract: docs/guides/connection-draining.md. */
export type DrainState = z.output<typeof stateSchema>;

/** A pod that can be told to drain. */
interface DrainPod extends NamespacedName {
  port: number;
}

/** Undefined for a pod that nobody has given a port for that. */
export function drainPod(pod: V1Pod): DrainPod | undefined {
  const variable = appContainer(pod)?.env?.find(({ name }) => name === variables.drainPort);
  const port = /^\d{1,5}$/.test(variable?.value ?? "") ? Number(variable?.value) : 0;
  return port > 0 && port <= portMax ? { ...whereIs(pod), port } : undefined;
}

const portMax = 65_535;
const answerMs = 3000;
const answerBytes = 4096;

/**
 * Asks a pod what is open, and tells it to drain.
 * @param seconds for how long; 0 ends it at once; undefined tells it nothing
 * @throws NoAnswerError when the pod does not answer as the contract says
 */
async function askDrain(
  cluster: Cluster,
  pod: DrainPod,
  signal: AbortSignal,
  seconds?: number,
): Promise<DrainState> {
  const order =
    seconds === undefined
      ? {}
      : {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ seconds }),
        };
  const forwarded = await forwardPod(cluster, pod, pod.port);
  try {
    const { status, text } = await fetchText(
      `${forwarded.url}/drain`,
      { maxBytes: answerBytes, timeoutMs: answerMs, signal },
      order,
    );
    const state = stateSchema.safeParse(parseJson(text));
    if (status !== 200 || !state.success)
      throw new NoAnswerError(`it answers ${status}, and not what is open`);
    return state.data;
  } finally {
    forwarded.close();
  }
}
