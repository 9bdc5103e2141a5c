/**
 * What the analysis does with the pods of a color, in a process of its own so that its cost can be told: the
 * baseline before traffic moves, and on the word of the parent one observation after it. Started by measureAnalysis.
 */
import { once } from "node:events";
import { connect, otherColor, type ClusterRef } from "@bluegreen/release";
import { askThroughForward } from "@bluegreen/release/kubernetes/pods";
import { analysisLimits } from "@bluegreen/release/config/schema/analysis";
import type { AnalysisTarget } from "@bluegreen/release/analysis/observation";
import { observationBounds } from "@bluegreen/release/analysis/readPods";
import { takeBaseline } from "@bluegreen/release/analysis/baseline";
import { takeObservation } from "@bluegreen/release/analysis/observe";
import type { PartCost } from "./analysis";

/** The same work, with more patience: on a busy machine what is not waited for would not be counted. */
const bounds = { ...observationBounds, totalMs: 300_000, timeoutMs: 60_000 };

async function costOf<T>(work: () => Promise<T>): Promise<{ result: T; cost: PartCost }> {
  const [started, before] = [performance.now(), process.cpuUsage()];
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  const seconds = (performance.now() - started) / 1000;
  return {
    result,
    cost: { seconds, cpuSeconds: (user + system) / 1e6, peakMiB: process.resourceUsage().maxRSS / 1024 },
  };
}

async function main(where: ClusterRef, target: AnalysisTarget): Promise<void> {
  const cluster = connect(where);
  const ask = askThroughForward(cluster);
  const limits = analysisLimits.parse({});
  const baseline = await costOf(() =>
    takeBaseline(cluster, target, { ask, limits, live: otherColor(target.color), bounds }),
  );
  process.send?.(baseline.cost);
  await once(process, "message");
  const { result, cost } = await costOf(() =>
    takeObservation(cluster, target, {
      limits,
      ask,
      before: baseline.result.observation,
      elapsedSeconds: limits.intervalSeconds,
      bounds,
    }),
  );
  const silent = result.pods.filter(({ answered }) => !answered).length + result.logs.unreadPods;
  if (result.pods.length === 0 || silent > 0)
    throw new Error(`${silent} answers of ${result.pods.length} pods are missing`);
  process.send?.(cost);
}

const [where = "", target = ""] = process.argv.slice(2);
main(JSON.parse(where) as ClusterRef, JSON.parse(target) as AnalysisTarget).then(
  () => {
    process.disconnect();
  },
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
