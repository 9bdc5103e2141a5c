import { setTimeout as delay } from "node:timers/promises";
import { otherColor, namespaceOf, type Color } from "../app/color.js";
import { untilInterrupted } from "../util/interrupt.js";
import { failTogether } from "../rollback/rollBackClusters.js";
import type { InCluster } from "../clusters/together.js";
import { connect, type Cluster } from "../kubernetes/cluster.js";
import { holderName } from "../util/who.js";
import { askThroughForward } from "../kubernetes/pods.js";
import { readLiveColor } from "../traffic/live.js";
import { untilAnswered } from "../util/poll.js";
import { UserError } from "../util/userError.js";
import type { Say, Step } from "../util/step.js";
import type { AnalysisSettings } from "../config/analysisSettings.js";
import { readBlockedImage } from "../state/blockedImages.js";
import { noteSwitch, analyzeRelease } from "./analyzeRelease.js";
import { isMovePending } from "../traffic/move.js";
import { ageOf, isAnalyzed, isInEffect, readRelease, setState, type Release } from "../state/record.js";
import { rollBackRelease } from "../rollback/rollBackRelease.js";
import { serverTime } from "../kubernetes/requests.js";
import { percent } from "../analysis/summary.js";
import { takeAnalysis } from "../state/analysisLease.js";
import type { AnalysisEnd } from "./automaticRollback.js";
import { bluegreen } from "../util/bluegreenCommand.js";

/** Room for one observation to come back. */
const observationMs = 2000;
/** What somebody else analyzes is asked for that often. */
const followEveryMs = 2000;

export type AnalysisInputs = InCluster &
  AnalysisSettings & {
    /** The color that traffic has moved to. */
    color: Color;
    /** How many of 100. */
    weight: number;
    /** Of the switch, from its gate. */
    switchId: string;
    /** Whether the analysis controller continues when the update is over. */
    controller: boolean;
  };

/** What it came to; empty when there was nothing to analyze. */
export type AnalysisOutputs = { verdict: string };

/**
 * Analyzes the color that traffic has just moved to, for as long as config says, and takes it
 * back when it does harm. What a killed update has left without analysis, the next one analyzes.
 */
export const analysis: Step<AnalysisInputs, AnalysisOutputs> = {
  check: () => Promise.resolve([]),

  async isNeeded(_last, inputs) {
    if (await isMovePending(inputs)) return true;
    return (await unanalyzed(connect(inputs), inputs)) !== undefined;
  },

  async run(inputs, say) {
    const cluster = connect(inputs);
    const found = await unanalyzed(cluster, inputs);
    if (found === undefined) {
      await refuseCalledOff(cluster, inputs, say);
      return { verdict: "" };
    }
    const release = await noteSwitch(inputs, found, say);
    if (!isAnalyzed(release, inputs.limits))
      return { verdict: await leave(cluster, inputs, release, "not analyzed") };
    const outcome = await untilInterrupted((signal) =>
      analyzeOrFollow(cluster, inputs, release, { say, signal }),
    );
    const known =
      outcome.end === "superseded" ? await supersededBy(cluster, inputs, release, outcome) : outcome;
    try {
      return { verdict: await conclude(cluster, inputs, release, known) };
    } catch (error) {
      // Where somebody else has decided, that one has seen to the other clusters as well.
      if (outcome.end !== "breach" && outcome.end !== "stuck") throw error;
      throw await failTogether(
        inputs,
        { color: release.to.color, reason: outcome.reason, evidence: outcome.evidence, by: holderName() },
        error,
        say,
      );
    }
  },
};

/** The switch that moved traffic to this color, as long as no update has analyzed it to its end. */
async function unanalyzed(
  cluster: Cluster,
  { app, color, weight, route }: AnalysisInputs,
): Promise<Release | undefined> {
  const [release, live] = await Promise.all([readRelease(cluster, app), readLiveColor(cluster, app)]);
  const open = release?.state === "approved" || release?.state === "analyzing";
  if (!open || release.to.color !== color || release.weight !== weight) return undefined;
  return (weight === 100 ? live === color : await isInEffect(cluster, app, release, route))
    ? release
    : undefined;
}

/**
 * Another cluster has called the release off in the very moment that traffic moved here, when the approval had
 * been read.
 */
async function refuseCalledOff(cluster: Cluster, inputs: AnalysisInputs, say: Say): Promise<void> {
  const { app, together, switchId, route } = inputs;
  const release = together === null ? undefined : await readRelease(cluster, app);
  if (
    release?.id !== switchId ||
    release.state !== "rolledBack" ||
    !(await isInEffect(cluster, app, release, route))
  )
    return;
  const reason = "called off, because it has failed in another cluster";
  await rollBackRelease(
    { where: inputs, undone: release, settings: inputs, reason, evidence: [], by: holderName() },
    say,
  );
  throw new UserError({
    code: "BG-ROLLED-BACK",
    what: `${release.to.color} (${release.to.image}) was rolled back as soon as it had traffic`,
    rule: reason,
    next: "what that cluster has said stands in this update",
  });
}

/** An analysis that was lost is followed to its end. */
type Concluded = Exclude<AnalysisEnd, { end: "lost" }>;

/**
 * The analysis controller may have the analysis, from an update that was killed. Then this one
 * waits for what it says.
 */
async function analyzeOrFollow(
  cluster: Cluster,
  inputs: AnalysisInputs,
  release: Release,
  { say, signal }: { say: Say; signal: AbortSignal },
): Promise<Concluded> {
  const by = holderName();
  const { durationSeconds: seconds, intervalSeconds } = inputs.limits;
  const age = ageOf(release, await serverTime(cluster));
  const movedAt = performance.now() - age;
  // Of an update that was killed long ago at least one observation.
  const until = Math.max(
    movedAt + seconds * 1000,
    performance.now() + intervalSeconds * 1000 + observationMs,
  );
  let followed = false;
  while (performance.now() < until) {
    signal.throwIfAborted();
    const lease = await untilAnswered(() => takeAnalysis(cluster, inputs.app, by));
    if (lease !== undefined) {
      const now = performance.now();
      try {
        const outcome = await analyzeRelease(inputs, release, {
          settings: inputs,
          forMs: until - now,
          sinceMs: now - movedAt,
          ask: askThroughForward(cluster),
          lease,
          by,
          say,
          signal,
        });
        if (outcome.end !== "lost") return outcome;
      } finally {
        await lease.release();
      }
    }
    const now = await untilAnswered(() => readRelease(cluster, inputs.app));
    if (now?.id !== release.id) return { end: "superseded" };
    if (now.state === "rolledBack") return rolledBackBy(cluster, inputs.app, release);
    if (!followed) say(`somebody else analyzes ${release.to.color}; this update waits for what it says`);
    followed = true;
    await delay(followEveryMs, undefined, { signal });
  }
  return { end: "over", requests: null, beside: null };
}

/** The blocked image says who, and why. */
async function rolledBackBy(cluster: Cluster, app: string, { to }: Release): Promise<Concluded> {
  const blocked = await readBlockedImage(cluster, app, to);
  return {
    end: "breach",
    reason: blocked?.reason ?? "the image has been unblocked",
    evidence: blocked?.evidence ?? [],
  };
}

/**
 * A blocked image that is younger than the switch says that it was rolled back: from another cluster, by a person
 * there, or by a gate of this very update.
 */
async function supersededBy(
  cluster: Cluster,
  { app, together }: AnalysisInputs,
  { to, at }: Release,
  outcome: Concluded,
): Promise<Concluded> {
  const blocked = await readBlockedImage(cluster, app, to);
  return blocked !== undefined && blocked.at >= at && (together !== null || blocked.by === holderName())
    ? { end: "breach", reason: blocked.reason, evidence: blocked.evidence }
    : outcome;
}

/** @throws UserError unless traffic is to stay */
async function conclude(
  cluster: Cluster,
  inputs: AnalysisInputs,
  release: Release,
  outcome: Concluded,
): Promise<string> {
  const { to, from, weight } = release;
  const inLine =
    weight < 100 ? "pulumi config rm canaryWeight" : `pulumi config set activeColor ${from?.color ?? "blue"}`;
  const next = `${inLine} && pulumi up, which brings config in line; then push a new image`;
  switch (outcome.end) {
    case "over":
      refuseUngiven(release, inputs, outcome);
      return leave(cluster, inputs, release, describeEnd(release, outcome));
    case "breach":
      throw new UserError({
        code: "BG-ROLLED-BACK",
        what: `${to.color} (${to.image}) was rolled back: traffic is on ${from?.color ?? "the other color"} again`,
        rule: [outcome.reason, ...outcome.evidence].join("\n        "),
        next,
      });
    case "stuck":
      throw new UserError({
        code: "BG-ROLLBACK-FAILED",
        what: `${to.color} (${to.image}) had to be rolled back, and NOTHING WAS SWITCHED: traffic is still on ${to.color}`,
        rule: [outcome.reason, ...outcome.evidence].join("\n        "),
        next: `kubectl -n ${namespaceOf(cluster, from?.color ?? otherColor(to.color))} get pods -l app=${inputs.app}; bring ${from?.color ?? "the other color"} up, then ${bluegreen} rollback`,
      });
    case "superseded":
      throw new UserError({
        code: "BG-SWITCH-OVERTAKEN",
        what: `The analysis of ${to.color} ended: somebody else has moved traffic, or begun another switch`,
        rule: "what follows in this update would touch a color that may serve traffic",
        next: `${bluegreen} history, then pulumi up`,
      });
  }
}

type Over = Extract<AnalysisEnd, { end: "over" }>;

/**
 * So many of its requests are to be expected before none of them tells anything: by chance that happens once
 * in 10^13 times.
 */
const expectedMin = 30;

/**
 * An edge that does not know these weights, because another controller reads the route, or none, gives
 * nothing.
 */
function refuseUngiven({ to, weight }: Release, { route }: AnalysisInputs, { requests, beside }: Over): void {
  if (requests !== 0 || beside === null || (beside * weight) / 100 < expectedMin) return;
  throw new UserError({
    code: "BG-WEIGHTS-IGNORED",
    what: `${to.color} got none of ${beside} requests: the router ignores its canary weight of ${weight} %`,
    rule: `traffic.router is ${route ?? "none"}, and the ingress controller has to read the weights of these objects`,
    next: "pulumi config set --path traffic.router NAME, with the kind that this cluster has; and pulumi config rm canaryWeight && pulumi up until then",
  });
}

/** What was not counted is said to be no data: it is no sign of health. */
function describeEnd(release: Release, over: Over): string {
  if (over.requests === 0) return "no data: nobody used it";
  return over.requests === null
    ? "kept; no data: nobody counted its requests here"
    : `kept${describeWeight(release, over)}`;
}

function describeWeight({ to, weight }: Release, { requests, beside }: Over): string {
  if (weight === 100 || requests === null || beside === null) return "";
  const all = requests + beside;
  return all === 0
    ? ""
    : `: ${to.color} got ${percent(requests / all)} of ${all} requests, ${weight} % were to be`;
}

/**
 * The update is done with it. With an analysis controller it continues to be analyzed until the standby's time is
 * over.
 */
async function leave(
  cluster: Cluster,
  { app, controller, limits }: AnalysisInputs,
  release: Release,
  verdict: string,
): Promise<string> {
  await setState(cluster, app, release.id, controller && isAnalyzed(release, limits) ? "standby" : "kept");
  return verdict;
}
