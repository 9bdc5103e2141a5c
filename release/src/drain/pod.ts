import { appContainer } from "../kubernetes/containers.js";
import type { V1Pod } from "../kubernetes/client.js";
import { z } from "zod";
import { fetchText, NoAnswerError } from "../util/fetchText.js";
import type { Cluster } from "../kubernetes/cluster.js";
import type { NamespacedName } from "../app/namespaces.js";
import { whereIs } from "../kubernetes/pods.js";
import { forwardPod } from "../kubernetes/portForward.js";
import { variables } from "../app/names.js";
import { parseJson } from "../util/parseJson.js";

const count = z.int().min(0);
const stateSchema = z.object({ draining: z.boolean(), connections: count, streams: count, requests: count });

/** What is open on a pod now. The contract: docs/guides/connection-draining.md. */
export type DrainState = z.output<typeof stateSchema>;

/** A pod that can be told to drain. */
export interface DrainPod extends NamespacedName {
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
 * Asks a pod what is open, and tells it to lead its clients away.
 * @param seconds for how long; 0 ends it at once; undefined tells it nothing
 * @throws NoAnswerError when the pod does not answer as the contract says
 */
export async function askDrain(
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
