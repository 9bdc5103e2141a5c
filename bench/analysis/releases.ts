import type { PodObservation, Observation } from "@bluegreen/release/analysis/observation";
import { noRequests, type RequestCounters } from "@bluegreen/release/analysis/requestCounters";
import { trafficBetween, type Traffic } from "@bluegreen/release/analysis/traffic";
import { timed, type Latency } from "./latencies";

/** A simulated version, and the traffic that it gets. */
interface Version {
  /** Part of the requests that fail with 5xx. */
  errors: number;
  /** Errors come in groups of so many: one failing upstream takes several requests with it. @default 1 */
  burst?: number;
  /** Errors in the log of each pod, each minute. @default 0 */
  logErrors?: number;
  /** Absent where no request is timed. */
  latency?: Latency;
}

export interface Scenario {
  what: string;
  old: Version;
  new: Version;
  /** Requests per second, of all pods together. */
  traffic: number;
  pods: number;
  /** Interval in which no pod of either color is ready. */
  sharedOutageAt?: number;
  /**
   * How much of its usual traffic and latency there is at a time, from 0 at the switch to 1 at the end of the
   * analysis: the hour of the day, or caches that are cold. @default all of it
   */
  tide?: (time: number) => { traffic: number; latency: number };
}

/** Numbers between 0 and 1, the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** How often something happens that is expected so often. */
function poisson(expected: number, random: () => number): number {
  if (expected > 50) {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return Math.max(0, Math.round(expected + Math.sqrt(expected) * normal));
  }
  const limit = Math.exp(-expected);
  let count = 0;
  for (let product = random(); product > limit; product *= random()) count++;
  return count;
}

const noCounters: RequestCounters = { ...noRequests, source: "simulated" };

function answered(counters: RequestCounters, requests: number, serverErrors: number): RequestCounters {
  return {
    ...counters,
    requests: counters.requests + requests,
    serverErrors: counters.serverErrors + Math.min(requests, serverErrors),
  };
}

/** What a version counts of so many requests that are expected. */
function answering(
  counters: RequestCounters,
  { errors, burst = 1, latency }: Version,
  { expected, slower, random }: { expected: number; slower: number; random: () => number },
): RequestCounters {
  if (latency !== undefined) {
    const slow = { ...latency, medianSeconds: latency.medianSeconds * slower };
    return timed(counters, expected, slow, (each) => poisson(each, random));
  }
  const requests = poisson(expected, random);
  return answered(counters, requests, burst * poisson((expected * errors) / burst, random));
}

/** What the old version had answered before the switch, in ten minutes. */
export function usualOf({ old, traffic }: Scenario, random: () => number): Traffic {
  const pod = { name: "old", answered: true };
  const counters = answering(noCounters, old, { expected: traffic * 600, slower: 1, random });
  return trafficBetween([{ ...pod, counters: noCounters }], [{ ...pod, counters }]);
}

/** Errors in the old version's log, for each pod and second, as one interval had them. */
export function usualLogErrorsOf({ old, pods }: Scenario, seconds: number, random: () => number): number {
  return poisson(((old.logErrors ?? 0) * pods * seconds) / 60, random) / (pods * seconds);
}

const steady = () => ({ traffic: 1, latency: 1 });

const quietPod = { ready: true, restarts: 0, backsOff: false, answered: true, log: { readAt: 0 } };

export function firstObservation({ pods }: Scenario): Observation {
  return {
    pods: Array.from({ length: pods }, (_, index) => ({
      ...quietPod,
      name: `new-${index}`,
      counters: noCounters,
    })),
    logs: { errors: 0, samples: [], cutPods: 0, unreadPods: 0 },
    queries: [],
  };
}

/** The observation after one more interval of so many seconds. */
export function nextObservation(
  scenario: Scenario,
  before: Observation,
  { index, time, seconds, random }: { index: number; time: number; seconds: number; random: () => number },
): Observation {
  const { new: version, traffic, sharedOutageAt, tide = steady } = scenario;
  const isAway = index === sharedOutageAt || index - 1 === sharedOutageAt;
  const now = tide(time);
  const expected = isAway ? 0 : (now.traffic * traffic * seconds) / before.pods.length;
  const pods = before.pods.map((pod): PodObservation => ({
    ...pod,
    ready: !isAway,
    counters: answering(pod.counters ?? noCounters, version, { expected, slower: now.latency, random }),
  }));
  const errors = poisson(((version.logErrors ?? 0) * before.pods.length * seconds) / 60, random);
  return {
    pods,
    logs: { errors, samples: [], cutPods: 0, unreadPods: 0 },
    queries: [],
    beside: [{ ...quietPod, name: "old", ready: !isAway }],
  };
}
