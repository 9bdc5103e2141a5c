import type { V1Pod } from "@kubernetes/client-node";
import type { Cluster } from "./cluster.js";
import { forwardPod } from "./portForward.js";

const answerTimeoutMs = 5000;

/** What a pod answers at /ready, be it ready or not; undefined when it does not. */
export async function askReady(cluster: Cluster, pod: V1Pod): Promise<unknown> {
  const name = pod.metadata?.name;
  const port = httpPort(pod);
  if (name === undefined || port === undefined || pod.status?.phase !== "Running") return undefined;
  const forwarded = await forwardPod(cluster, name, port);
  try {
    const response = await fetch(`${forwarded.url}/ready`, { signal: AbortSignal.timeout(answerTimeoutMs) });
    return await response.json();
  } catch {
    // It crashes, hangs, or has no such path: it says nothing.
    return undefined;
  } finally {
    forwarded.close();
  }
}

/** Where the app listens in its pod. */
export function httpPort({ spec }: V1Pod): number | undefined {
  return spec?.containers.flatMap(({ ports }) => ports ?? []).find(({ name }) => name === "http")?.containerPort;
}

export function isReady({ status }: V1Pod): boolean {
  return status?.conditions?.some(({ type, status: state }) => type === "Ready" && state === "True") === true;
}
