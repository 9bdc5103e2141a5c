import { percent, points, span } from "@bluegreen/release/analysis/summary";
import type { Sample } from "@bluegreen/release/state/samples";

/** A sample of the analysis as a row of a table. What was not measured is said to be no data. */
export function sampleCells({ at, figures, score }: Pick<Sample, "at" | "figures" | "score">) {
  const { requests, errorRatio, p99Seconds, ready, pods, logErrors } = figures;
  const shown = <T>(value: T | null, text: (known: T) => string) =>
    value === null ? "no data" : text(value);
  return {
    at,
    requests: shown(requests, String),
    errors: shown(errorRatio, percent),
    p99: shown(p99Seconds, span),
    ready: `${ready} of ${pods}`,
    logErrors: String(logErrors),
    score: points(score),
  };
}
