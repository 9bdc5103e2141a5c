import { setTimeout as delay } from "node:timers/promises";
import { readCounts } from "../analysis/observe.js";
import type { MetricsSource } from "../analysis/metricsSource.js";
import { trafficBetween } from "../analysis/traffic.js";
import type { NamespacedName } from "../app/namespaces.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { askThroughForward } from "../kubernetes/pods.js";
import type { ColorPods } from "./pods.js";

/** Requests that a color still answers although traffic has left it. */
export interface Staying {
  /** In the last window. */
  requests: number;
  windowSeconds: number;
  /** Of how many pods that is known. */
  measuredPods: number;
  pods: number;
}

export interface StayingOptions {
  metrics: MetricsSource;
  /** What is left of the time. */
  seconds: number;
  /** Whether traffic still is where the switch has brought it. */
  isAway: (signal: AbortSignal) => Promise<boolean>;
  signal: AbortSignal;
}

const windowSeconds = 5;

/**
 * Waits until pods that say nothing of their connections answer nobody any more, or the time is over. What is open
 * on them cannot be asked; whether clients still use it shows in their metrics. At the least one window is counted.
 */
export async function awaitQuiet(
  cluster: Cluster,
  target: ColorPods,
  { metrics, seconds, isAway, signal }: StayingOptions,
): Promise<Staying> {
  const started = performance.now();
  const ask = askThroughForward(cluster);
  let before = await readCounts(cluster, target, { ask, metrics, signal });
  for (;;) {
    await delay(windowSeconds * 1000, undefined, { signal });
    const now = await readCounts(cluster, target, { ask, metrics, signal });
    const { requests, measuredPods, pods } = trafficBetween(before, now);
    before = now;
    const isOver = requests === 0 || performance.now() - started + windowSeconds * 1000 > seconds * 1000;
    if (isOver || !(await isAway(signal))) return { requests, windowSeconds, measuredPods, pods };
  }
}

/** What people are told. @param deployment of the color, as `kubectl` finds it */
export function describeStaying(
  color: string,
  { requests, windowSeconds: window, measuredPods, pods }: Staying,
  deployment: NamespacedName,
): string {
  if (measuredPods === 0)
    return `whether clients still use connections to ${color} is not known: none of its ${pods} pods gave its metrics. A kept connection stays on the old version until it ends (docs/guides/connection-draining.md#apps-without-draining)`;
  const of = measuredPods < pods ? `, by ${measuredPods} of ${pods} pods` : "";
  return requests === 0
    ? `${color} answered no request in ${window} s${of}: clients have left it`
    : `${color} still answered ${requests} requests in ${window} s${of}: clients that keep their connections stay on the old version until those end. They end with its pods, at the latest when it is scaled down. To end them, where the server finishes its answers on SIGTERM: kubectl -n ${deployment.namespace} rollout restart deployment ${deployment.name} (docs/guides/connection-draining.md#apps-without-draining)`;
}
