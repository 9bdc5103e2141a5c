import type { Traffic } from "./traffic.js";

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
