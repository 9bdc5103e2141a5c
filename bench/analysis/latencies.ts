import type { RequestCounters } from "@bluegreen/release/analysis/requestCounters";

/** How long requests take: half of them less than the median, spread as a logarithmic normal distribution. */
export interface Latency {
  medianSeconds: number;
  /** Of the logarithm: 0.05 is nearly all alike, 1.2 is a mixture of quick and slow routes. */
  spread: number;
}

/** Those of prom-client and Go's promhttp. */
const bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, Infinity];

/** Distribution of the standard normal (Abramowitz and Stegun 7.1.26, wrong by less than 2e-7). */
function normal(deviations: number): number {
  const scaled = Math.abs(deviations) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * scaled);
  const series =
    t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const upper = (series * Math.exp(-scaled * scaled)) / 2;
  return deviations < 0 ? upper : 1 - upper;
}

/**
 * Adds requests of so many to the histogram, by their chance in each bucket.
 * @param draw how often something happens that is expected so often
 */
export function timed(
  counters: RequestCounters,
  expected: number,
  { medianSeconds, spread }: Latency,
  draw: (expected: number) => number,
): RequestCounters {
  const deviationsOf = (seconds: number) => Math.log(seconds / medianSeconds) / spread;
  const mean = medianSeconds * Math.exp(spread ** 2 / 2);
  const buckets = { ...counters.buckets };
  let requests = 0;
  let seconds = 0;
  let [below, secondsBelow] = [0, 0];
  for (const bound of bounds) {
    const upTo = normal(deviationsOf(bound));
    // What the requests below a bound take together, as a part of the mean.
    const secondsUpTo = mean * normal(deviationsOf(bound) - spread);
    const part = upTo - below;
    const count = part > 1e-9 ? draw(expected * part) : 0;
    requests += count;
    if (count > 0) seconds += (count * (secondsUpTo - secondsBelow)) / part;
    const name = bound === Infinity ? "+Inf" : String(bound);
    buckets[name] = (buckets[name] ?? 0) + requests;
    [below, secondsBelow] = [upTo, secondsUpTo];
  }
  return {
    ...counters,
    requests: counters.requests + requests,
    timed: counters.timed + requests,
    seconds: counters.seconds + seconds,
    buckets,
  };
}
