import type { RequestCounters } from "./metricsText.js";
import type { PodReading } from "./reading.js";

/** What the pods of a color answered between two readings. */
export interface Traffic {
  /** How many there are. */
  pods: number;
  /** Of how many the figures are. */
  measuredPods: number;
  /** Zero is no sign of health: nobody asked. */
  requests: number;
  serverErrors: number;
  /** Absent without requests. */
  averageSeconds?: number;
  /** As p99Seconds. */
  p50Seconds?: number;
  /** Absent without requests, or where there are no buckets. Never above the last finite bucket. */
  p99Seconds?: number;
}

export type CountedPod = Pick<PodReading, "name" | "answered" | "counters">;

/** @param before nothing gives what the pods have counted since they started */
export function trafficBetween(before: readonly CountedPod[], now: readonly CountedPod[]): Traffic {
  const earlier = new Map(before.map((pod) => [pod.name, pod]));
  const grown = now.flatMap((pod) => growthOf(earlier.get(pod.name), pod) ?? []);
  const sum = (figure: (counters: RequestCounters) => number) => grown.reduce((total, counters) => total + figure(counters), 0);
  const requests = sum((counters) => counters.requests);
  const traffic: Traffic = { pods: now.length, measuredPods: grown.length, requests, serverErrors: sum((counters) => counters.serverErrors) };
  if (requests === 0) return traffic;
  const buckets = addBuckets(grown);
  const [p50Seconds, p99Seconds] = [quantile(0.5, buckets), quantile(0.99, buckets)];
  return { ...traffic, averageSeconds: sum((counters) => counters.seconds) / requests, ...(p50Seconds !== undefined && { p50Seconds }), ...(p99Seconds !== undefined && { p99Seconds }) };
}

/** Undefined where it cannot be told. */
function growthOf(before: CountedPod | undefined, now: CountedPod): RequestCounters | undefined {
  if (!now.answered || now.counters === undefined) return undefined;
  // It was not there: all of it is new.
  if (before === undefined) return now.counters;
  // It was there and has never said anything: what it has counted may be from long ago.
  if (before.counters === undefined) return undefined;
  // A line that is unreadable in one text and in the other is not would be taken for requests, or for a restart.
  if (before.counters.malformed !== now.counters.malformed) return undefined;
  return subtract(now.counters, before.counters);
}

function subtract(now: RequestCounters, before: RequestCounters): RequestCounters {
  const buckets = Object.fromEntries(Object.entries(now.buckets).map(([bound, count]) => [bound, count - (before.buckets[bound] ?? 0)]));
  const grown = { ...now, requests: now.requests - before.requests, serverErrors: now.serverErrors - before.serverErrors, seconds: now.seconds - before.seconds, buckets };
  // Counters never fall. Where one did, the process is another, and all that it has counted is new.
  const hasRestarted = [grown.requests, grown.serverErrors, grown.seconds, ...Object.values(buckets)].some((growth) => growth < 0);
  return hasRestarted ? now : grown;
}

function addBuckets(all: readonly RequestCounters[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const { buckets } of all) {
    for (const [bound, count] of Object.entries(buckets)) total[bound] = (total[bound] ?? 0) + count;
  }
  return total;
}

/**
 * As Prometheus' histogram_quantile: linear within the bucket it falls into; the last finite bound when
 * it lies beyond that; undefined without observations or without a bucket "+Inf".
 * @param buckets counts up to each bound, those below included
 */
export function quantile(q: number, buckets: Readonly<Record<string, number>>): number | undefined {
  const total = buckets["+Inf"];
  const finite = Object.entries(buckets)
    .filter(([bound]) => bound !== "+Inf")
    .map(([bound, count]) => ({ bound: Number(bound), count }))
    .sort((one, other) => one.bound - other.bound);
  if (total === undefined || total <= 0 || finite.length === 0) return undefined;
  const rank = q * total;
  let below = { bound: 0, count: 0 };
  for (const { bound, count } of finite) {
    // Pods with different buckets may add up to fewer in a larger one.
    const upTo = Math.max(count, below.count);
    if (upTo >= rank) {
      if (bound <= 0) return bound;
      return below.bound + (bound - below.bound) * ((rank - below.count) / (upTo - below.count));
    }
    below = { bound: Math.max(bound, 0), count: upTo };
  }
  return below.bound;
}
