import type { AnalysisLimits } from "./limits.js";
import type { CountedPod, Observation } from "./observation.js";
import type { RequestCounters } from "./requestCounters.js";

/** What the pods of a color answered between two observations. */
export interface Traffic {
  /** How many there are. */
  pods: number;
  /** Of how many the figures are. */
  measuredPods: number;
  /** Zero is no sign of health: nobody asked. */
  requests: number;
  /** Requests whose status is not told: they are neither errors nor successes. */
  unclassified: number;
  serverErrors: number;
  clientErrors: number;
  /** Requests whose duration is known. */
  timed: number;
  /** Absent without such requests. */
  averageSeconds?: number;
  /** As p99Seconds. */
  p50Seconds?: number;
  /** Absent without such requests, or where there are no buckets. Never above the last finite bucket. */
  p99Seconds?: number;
  /** Up to each bound, as RequestCounters has them. Absent without such requests, or where pods differ in bounds. */
  buckets?: Record<string, number>;
}

/** Requests whose status is known. */
export function toldRequests({ requests, unclassified }: Traffic): number {
  return requests - unclassified;
}

/** Part of the requests with a known status that were errors; undefined where there are none with one. */
export function errorRatio(traffic: Traffic): number | undefined {
  const told = toldRequests(traffic);
  return told > 0 ? traffic.serverErrors / told : undefined;
}

/** Null where nobody could tell: none that were seen are no requests. */
export function measuredRequests({ measuredPods, requests }: Traffic): number | null {
  return measuredPods === 0 ? null : requests;
}

/** What was counted of a color, by its pods and by what routes requests to them. */
export interface Counts extends Pick<Observation, "router"> {
  pods: readonly CountedPod[];
}

/**
 * By whoever config believes.
 * @returns what was answered between two observations; measuredPods 0 where nobody could tell
 */
export function trafficOf(
  { requestsFrom, noData }: Pick<AnalysisLimits, "requestsFrom" | "noData">,
  before: Counts,
  now: Counts,
): Traffic {
  const ofPods = trafficBetween(before.pods, now.pods);
  const isBelieved = requestsFrom === "pods" && (noData !== "router" || toldRequests(ofPods) > 0);
  if (isBelieved) return ofPods;
  const [earlier, later] = [countedBy(before), countedBy(now)];
  return earlier === undefined || later === undefined
    ? { ...trafficBetween([], []), pods: now.pods.length }
    : trafficBetween(earlier, later);
}

/** Undefined where the router did not say. */
function countedBy({ router }: Counts): CountedPod[] | undefined {
  return router !== undefined && "counted" in router ? router.counted : undefined;
}

/** @param before nothing gives what the pods have counted since they started */
export function trafficBetween(before: readonly CountedPod[], now: readonly CountedPod[]): Traffic {
  const earlier = new Map(before.map((pod) => [pod.name, pod]));
  const grown = now.flatMap((pod) => growthOf(earlier.get(pod.name), pod) ?? []);
  const sum = (figure: (counters: RequestCounters) => number) =>
    grown.reduce((total, counters) => total + figure(counters), 0);
  const timed = sum((counters) => counters.timed);
  const traffic: Traffic = {
    pods: now.length,
    measuredPods: grown.length,
    requests: sum((counters) => counters.requests),
    unclassified: sum((counters) => counters.unclassified),
    serverErrors: sum((counters) => counters.serverErrors),
    clientErrors: sum((counters) => counters.clientErrors),
    timed,
  };
  if (timed === 0) return traffic;
  const buckets = addBuckets(grown);
  const [p50Seconds, p99Seconds] = [quantile(0.5, buckets), quantile(0.99, buckets)];
  return {
    ...traffic,
    averageSeconds: sum((counters) => counters.seconds) / timed,
    ...(p50Seconds !== undefined && { p50Seconds }),
    ...(p99Seconds !== undefined && { p99Seconds }),
    ...(haveSameBounds(grown) && { buckets }),
  };
}

/** Undefined where it cannot be told. */
function growthOf(before: CountedPod | undefined, now: CountedPod): RequestCounters | undefined {
  if (!now.answered || now.counters === undefined) return undefined;
  // It was not there: all of it is new.
  if (before === undefined) return now.counters;
  // It was there and has never said anything: what it has counted may be from long ago.
  if (before.counters === undefined) return undefined;
  // A line that is unreadable in one text and in the other is not would be taken for requests, or for a
  // restart; and the figures of two metrics are not those of one.
  if (before.counters.source !== now.counters.source && before.counters.requests > 0) return undefined;
  if (before.counters.malformed !== now.counters.malformed) return undefined;
  return subtract(now.counters, before.counters);
}

function subtract(now: RequestCounters, before: RequestCounters): RequestCounters {
  const buckets = Object.fromEntries(
    Object.entries(now.buckets).map(([bound, count]) => [bound, count - (before.buckets[bound] ?? 0)]),
  );
  const grown = {
    ...now,
    requests: now.requests - before.requests,
    unclassified: now.unclassified - before.unclassified,
    serverErrors: now.serverErrors - before.serverErrors,
    clientErrors: now.clientErrors - before.clientErrors,
    timed: now.timed - before.timed,
    seconds: now.seconds - before.seconds,
    buckets,
  };
  // Counters never fall. Where one did, the process is another, and all that it has counted is new.
  const { requests, unclassified, serverErrors, clientErrors, timed, seconds } = grown;
  const hasRestarted = [
    ...[requests, unclassified, serverErrors, clientErrors, timed, seconds],
    ...Object.values(buckets),
  ].some((growth) => growth < 0);
  return hasRestarted ? now : grown;
}

/** Counts of different bounds do not add up to those of one histogram. Who has answered nobody may have none yet. */
function haveSameBounds(all: readonly RequestCounters[]): boolean {
  const bounds = all
    .map(({ buckets }) => Object.keys(buckets).sort().join(" "))
    .filter((each) => each !== "");
  return new Set(bounds).size === 1;
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

/**
 * How long the requests of a version take beside those of the old one, by their histograms. The statistic is that of
 * Mann and Whitney: how often a request of the one is slower than one of the other, where two of the same bucket are
 * as slow as each other (midranks). The test is sequential: its evidence adds up over samples.
 */
export interface LatencyRank {
  /** Chance that a request of the new version is slower than one of the old; a tie counts half. */
  slowerChance: number;
  /** How much longer a request takes on average. */
  times: number;
  /**
   * Logarithm of how much likelier these requests are from a version that is slower than from one that is as fast.
   * Below zero it speaks for the version.
   */
  evidence: number;
}

/** Of a version that is slower: its requests take longer than the old one's in three of four pairs. */
const slowerVersion = 0.75;
/** Less than that nobody feels: of as many pairs at the least, and by so much on average. */
const feltChance = 0.65;
const feltTimes = 1.25;
/** A past of fewer requests is chance. */
const usualRequests = 100;
/** Of the exponent that makes the slower version of the old one: all requests are in its slowest bucket then. */
const maxExponent = 20;

/**
 * @param usual what the old version answered before the switch
 * @returns undefined where there is nothing to compare; otherBuckets where the two count by different ones
 */
export function rankLatency(
  usual: Pick<Traffic, "buckets" | "averageSeconds"> | undefined,
  now: Pick<Traffic, "buckets" | "averageSeconds">,
): LatencyRank | "otherBuckets" | undefined {
  if (usual?.buckets === undefined || now.buckets === undefined) return undefined;
  const [before, after] = [perBucket(usual.buckets), perBucket(now.buckets)];
  const [most, count] = [sum(before), sum(after)];
  if (most < usualRequests || count === 0) return undefined;
  if (boundsOf(usual.buckets) !== boundsOf(now.buckets)) return "otherBuckets";
  const parts = before.map((requests) => requests / most);
  const ranks = midranks(parts);
  const slowerChance = sum(after.map((requests, index) => (requests / count) * (ranks[index] ?? 0)));
  const times = (now.averageSeconds ?? 0) / (usual.averageSeconds ?? Infinity);
  const evidence = count * evidenceOf(slowerChance - deviations(parts, most), parts, ranks);
  const isFelt = slowerChance >= feltChance && times >= feltTimes;
  return { slowerChance, times, evidence: isFelt ? evidence : Math.min(0, evidence) };
}

/** Chance in what was counted of the old version: two standard deviations of a mean rank, with ties. */
function deviations(parts: readonly number[], requests: number): number {
  const ties = sum(parts.map((part) => part ** 3));
  return 2 * Math.sqrt((1 - ties) / (12 * requests));
}

/**
 * Of one request, at its mean rank. The slower version is the old one with each rank made likelier by an exponent: so
 * the ratio of the two needs no normal distribution, and holds for the first request as for the millionth.
 */
function evidenceOf(meanRank: number, parts: readonly number[], ranks: readonly number[]): number {
  const weighed = (exponent: number) =>
    parts.map((part, index) => part * Math.exp(exponent * (ranks[index] ?? 0)));
  const meanAt = (exponent: number) => {
    const all = weighed(exponent);
    return sum(all.map((weight, index) => weight * (ranks[index] ?? 0))) / sum(all);
  };
  let [low, high] = [0, maxExponent];
  for (let step = 0; step < 40; step++) {
    const middle = (low + high) / 2;
    if (meanAt(middle) < slowerVersion) low = middle;
    else high = middle;
  }
  return high * meanRank - Math.log(sum(weighed(high)));
}

/** Part of the old version's requests that are faster than one of a bucket, with half of those in it. */
function midranks(parts: readonly number[]): number[] {
  let faster = 0;
  return parts.map((part) => {
    const rank = faster + part / 2;
    faster += part;
    return rank;
  });
}

/** Requests in each, from the fastest; empty where counts fall, which those of one histogram never do. */
function perBucket(buckets: Readonly<Record<string, number>>): number[] {
  const upTo = sorted(buckets).map((bound) => buckets[bound] ?? 0);
  const each = upTo.map((count, index) => count - (upTo[index - 1] ?? 0));
  return each.some((count) => count < 0) ? [] : each;
}

function boundsOf(buckets: Readonly<Record<string, number>>): string {
  return sorted(buckets).join(" ");
}

function sorted(buckets: Readonly<Record<string, number>>): string[] {
  const seconds = (bound: string) => (bound === "+Inf" ? Infinity : Number(bound));
  return Object.keys(buckets).sort((one, other) => (seconds(one) < seconds(other) ? -1 : 1));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
