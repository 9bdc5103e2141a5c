import type { Color } from "../app/color.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { isCurrent, podsOfColor, type AskPod } from "../kubernetes/pods.js";
import type { PrometheusQuery, AnalysisLimits } from "./limits.js";
import type { AnalysisTarget, CountedPod, Observation, RouterObservation } from "./observation.js";
import { askPrometheus, type QueryObservation } from "./prometheus.js";
import { askRouter } from "./requestMetrics.js";
import { trafficOf, type Counts, type Traffic } from "./traffic.js";
import {
  countedPod,
  endingOf,
  podsOf,
  observationBounds,
  readPods,
  workersOf,
  type ObservationBounds,
} from "./readPods.js";

/** Before the flip: what the version is compared to. Plain data. */
export interface Baseline {
  /** The color that is to take over: its restarts and log lines of before do not count. */
  observation: Observation;
  /**
   * What the color that serves traffic now has answered since its pods started: the usual error rate.
   * Absent at the first release.
   */
  usual?: Traffic;
  /** What Prometheus said of that color. */
  usualQueries?: QueryObservation[];
  /** Errors that the logs of that color had, for each pod and second. Absent where none could be read. */
  usualLogErrors?: number;
  /**
   * What the pods of that color had counted: with a canary weight, traffic is on both, and what each color really got
   * is told by both.
   */
  beside?: CountedPod[];
  /** The same as its router had; absent where nobody asks it. */
  besideRouter?: RouterObservation;
}

/** Of a move that nobody analyzes. */
export const noBaseline: Baseline = {
  observation: { pods: [], logs: { errors: 0, samples: [], cutPods: 0, unreadPods: 0 }, queries: [] },
};

export interface BaselineOptions {
  ask: AskPod;
  limits: AnalysisLimits;
  /** The color that serves traffic now, if there is one. */
  live?: Color | undefined;
  /** Ends it early. */
  signal?: AbortSignal;
  bounds?: ObservationBounds;
}

/** @throws when the pods cannot be listed in time, or the signal came */
export async function takeBaseline(
  cluster: Cluster,
  target: AnalysisTarget,
  { ask, limits, live, signal, bounds = observationBounds }: BaselineOptions,
): Promise<Baseline> {
  const { metrics, intervalSeconds: seconds } = limits;
  const ending = endingOf(bounds, signal);
  const options = { ask, metrics, bounds, signal: ending };
  const [router, workers, read] = await Promise.all([
    askRouter(limits, target.color, ending),
    workersOf(cluster, target, limits, ending),
    podsOf(cluster, target, ending).then((pods) => readPods(cluster, pods, options)),
  ]);
  const observation: Observation = {
    ...read,
    queries: [],
    ...(workers.length > 0 && { workers }),
    ...(router !== undefined && { router }),
  };
  if (live === undefined) return { observation };
  const livePods = (await podsOfColor(cluster, { app: target.app, color: live }, ending)).filter(isCurrent);
  // As far back as one interval of the analysis.
  const [{ pods, logs }, usualRouter, usualQueries] = await Promise.all([
    readPods(cluster, livePods, { ...options, elapsedSeconds: seconds }),
    askRouter(limits, live, ending),
    askPrometheus(
      { ...limits, prometheusQueries: limits.prometheusQueries.filter(isOfBefore) },
      live,
      ending,
    ),
  ]);
  signal?.throwIfAborted();
  const readPodLogs = pods.length - logs.unreadPods;
  const beside = pods.map(({ name, counters, answered }) =>
    countedPod(name, answered ? counters : undefined),
  );
  return {
    observation,
    usual: trafficOf(limits, nothingYet, {
      pods,
      ...(usualRouter !== undefined && { router: usualRouter }),
    }),
    ...(usualQueries.length > 0 && { usualQueries }),
    ...(readPodLogs > 0 && { usualLogErrors: logs.errors / (readPodLogs * seconds) }),
    beside,
    ...(usualRouter !== undefined && { besideRouter: usualRouter }),
  };
}

/** Others are held to a number, or to the other color at the same time: their answer of before is nothing to them. */
function isOfBefore({ comparedWith, maxTimes }: PrometheusQuery): boolean {
  return comparedWith === "before" && maxTimes !== undefined;
}

/** What has been counted since it began: nothing comes before it. */
const nothingYet: Counts = { pods: [], router: { counted: [] } };
