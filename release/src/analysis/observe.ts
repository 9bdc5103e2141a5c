import { otherColor, type Color } from "../app/color.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { isCurrent, podsOfColor, type AskPod } from "../kubernetes/pods.js";
import type { AnalysisLimits } from "./limits.js";
import { mapBounded } from "../util/mapBounded.js";
import {
  podState,
  type AnalysisTarget,
  type PodState,
  type CountedPod,
  type Observation,
} from "./observation.js";
import { askPrometheus } from "./prometheus.js";
import {
  readCounters,
  countedPod,
  endingOf,
  nameOf,
  podsOf,
  observationBounds,
  readPods,
  workersOf,
  type PodsOptions,
  type ObservationBounds,
} from "./readPods.js";
import { askRouter } from "./requestMetrics.js";
import { summarize } from "./summary.js";
import { measuredRequests, trafficOf } from "./traffic.js";
import { askWebhook } from "./webhook.js";
import type { Baseline } from "./baseline.js";

/** What each pod of a color has counted since it started. */
export function readCounts(
  cluster: Cluster,
  color: { app: string; color: Color },
  { ask, metrics, signal }: Pick<PodsOptions, "ask" | "metrics" | "signal">,
): Promise<CountedPod[]> {
  return countPods(cluster, color, {
    ask,
    metrics,
    bounds: observationBounds,
    signal: endingOf(observationBounds, signal),
  });
}

async function countPods(
  cluster: Cluster,
  color: { app: string; color: Color },
  { ask, metrics, bounds, signal }: Pick<PodsOptions, "ask" | "metrics" | "bounds" | "signal">,
): Promise<CountedPod[]> {
  const pods = (await podsOfColor(cluster, color, signal)).filter(isCurrent);
  return mapBounded(pods, bounds.atOnce, async (pod) => {
    const counters = await readCounters(pod, { cluster, ask, metrics, timeoutMs: bounds.timeoutMs, signal });
    return countedPod(nameOf(pod), counters);
  });
}

/** What the other color has got of split traffic, by whoever config believes. */
export async function readBeside(
  cluster: Cluster,
  color: { app: string; color: Color },
  { beside, besideRouter }: Pick<Baseline, "beside" | "besideRouter">,
  { limits, ask, signal }: { limits: AnalysisLimits; ask: AskPod; signal: AbortSignal },
): Promise<number | null> {
  if (beside === undefined) return null;
  const [pods, router] = await Promise.all([
    readCounts(cluster, color, { ask, metrics: limits.metrics, signal }),
    askRouter(limits, color.color, signal),
  ]);
  return measuredRequests(
    trafficOf(
      limits,
      { pods: beside, ...(besideRouter !== undefined && { router: besideRouter }) },
      { pods, ...(router !== undefined && { router }) },
    ),
  );
}

export interface ObservationOptions {
  limits: AnalysisLimits;
  ask: AskPod;
  /** The observation before this one, the baseline's at first. Without one, nothing of the past counts. */
  before?: Observation | undefined;
  /** From its start to now, by a clock that only goes forward. */
  elapsedSeconds?: number | undefined;
  /** Ends it early. */
  signal?: AbortSignal;
  bounds?: ObservationBounds;
}

/**
 * Observes all pods of a color: one request to the API server for their state, and for each pod one to itself
 * for its metrics and one for its log. What does not answer is missing in the observation, and no error.
 * @throws when the pods cannot be listed in time, or the signal came
 */
export async function takeObservation(
  cluster: Cluster,
  target: AnalysisTarget,
  { limits, ask, before, elapsedSeconds, signal, bounds = observationBounds }: ObservationOptions,
): Promise<Observation> {
  const ending = endingOf(bounds, signal);
  const [read, workers, beside, router, queries] = await Promise.all([
    podsOf(cluster, target, ending).then((pods) =>
      readPods(cluster, pods, {
        ask,
        metrics: limits.metrics,
        bounds,
        signal: ending,
        before,
        elapsedSeconds,
      }),
    ),
    workersOf(cluster, target, limits, ending),
    statesBeside(cluster, target, ending),
    askRouter(limits, target.color, ending),
    askPrometheus(limits, target.color, ending),
  ]);
  const observation: Observation = {
    ...read,
    queries,
    ...(workers.length > 0 && { workers }),
    ...(router !== undefined && { router }),
    ...(beside.length > 0 && { beside }),
  };
  if (limits.webhookUrl !== "" && before !== undefined)
    observation.webhook = await askWebhook(
      limits.webhookUrl,
      summarize(target, limits, before, observation),
      ending,
    );
  signal?.throwIfAborted();
  return observation;
}

/** What happens to the other color at the same time is no fault of this one. Empty where nothing can be told. */
async function statesBeside(
  cluster: Cluster,
  { app, color }: AnalysisTarget,
  signal: AbortSignal,
): Promise<PodState[]> {
  const pods = await podsOfColor(cluster, { app, color: otherColor(color) }, signal).catch(() => []);
  return pods.filter(isCurrent).map(podState);
}
