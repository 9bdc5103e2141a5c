import type { Color } from "@bluegreen/release/app/color";
import type { CountedPod } from "@bluegreen/release/analysis/observation";
import { errorRatio, trafficBetween } from "@bluegreen/release/analysis/traffic";
import type { Figures, Sample } from "../../pages/dashboard/state";

/** What the pods of both colors had counted at one time. */
export interface Counted {
  /** By a clock that only goes forward, in milliseconds. */
  at: number;
  pods: Record<Color, CountedPod[]>;
}

/** Figures are of so many observations together: those of one second jump too much to be read. */
export const observationsKept = 6;

/**
 * What was answered from the first of some observations to the last, and how.
 * @param observations the last of them, oldest first
 * @param at now, in milliseconds since 1970
 */
export function sampleOf(observations: readonly Counted[], at: number): Sample {
  const [first, last] = [observations[0], observations.at(-1)];
  const figures = (color: Color) =>
    first === undefined || last === undefined || first === last ? null : figuresOf(color, first, last);
  return { at, figures: { blue: figures("blue"), green: figures("green") } };
}

function figuresOf(color: Color, first: Counted, last: Counted): Figures | null {
  const traffic = trafficBetween(first.pods[color], last.pods[color]);
  const { pods, measuredPods, requests, p50Seconds, p99Seconds } = traffic;
  if (measuredPods === 0) return null;
  return {
    requestsPerSecond: (1000 * requests) / (last.at - first.at),
    errorRatio: errorRatio(traffic) ?? null,
    p50Seconds: p50Seconds ?? null,
    p99Seconds: p99Seconds ?? null,
    pods,
    measuredPods,
  };
}
