import { setTimeout as delay } from "node:timers/promises";
import { evaluate, evaluateObservation } from "../analysis/evaluate.js";
import type { Finding, ScoredFinding } from "../analysis/findings.js";
import type { AnalysisLimits } from "../analysis/limits.js";
import { takeBaseline, type Baseline } from "../analysis/baseline.js";
import { takeObservation } from "../analysis/observe.js";
import type { Observation } from "../analysis/observation.js";
import { points as formatPoints } from "../analysis/summary.js";
import { trafficOf } from "../analysis/traffic.js";
import { otherColor } from "../app/color.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { readDeployment, templateOf } from "../kubernetes/deployment.js";
import { readyPodsBehind, askThroughForward } from "../kubernetes/pods.js";
import type { SuiteInputs } from "../gates/suite.js";
import { colorService } from "../routers/services.js";
import { actOnHarm, beginGuard, endGuard, noteHarm, recentChanges, refuseHarm } from "../state/harm.js";
import { readLiveColor } from "../traffic/live.js";
import { untilInterrupted } from "../util/interrupt.js";
import { starterGone } from "../util/process.js";
import { messageOf, type UserError } from "../util/userError.js";
import type { Say } from "../util/step.js";
import { KeptNote } from "./keptNote.js";
import { alertHarm, harmOf, takeAway, type BesideLive } from "./liveHarm.js";
import { LiveSuite } from "./liveSuite.js";

export interface Guarded extends BesideLive {
  /** What the live color runs. */
  template: string;
  limits: AnalysisLimits;
  /** The smoke tests that are run against it as well; undefined where config does not want that. */
  suite: SuiteInputs | undefined;
}

/** A second of an outage is one of users: the intervals of an analysis may be longer. */
const intervalSeconds = 3;
/** A sample asks each pod: of so many a second. */
const podsPerSecond = 10;
const pollIntervalMs = 1000;
/** As in an analysis: a list of endpoints that is rewritten may be found empty once. */
const emptyChecks = 2;
const evidenceMax = 5;

/** The live color while an update works beside it: the same samples and points as after a switch. */
export class GuardedColor {
  private baseline: Baseline | undefined;
  private before: { observation: Observation; at: number } | undefined;
  private evidence: ScoredFinding[] = [];
  private empty = 0;
  private harm: UserError | undefined;
  private readonly startedAt = performance.now();
  private readonly stopped = new AbortController();
  private readonly signal = AbortSignal.any([this.stopped.signal, starterGone()]);
  /** The pods of the idle color before this update. */
  private idleBefore: string | undefined;
  private readonly limits: AnalysisLimits;
  private readonly suite: LiveSuite | undefined;
  private note: KeptNote | undefined;
  private problem = "";
  private observing: Promise<void> = Promise.resolve();

  constructor(
    private readonly cluster: Cluster,
    private readonly guarded: Guarded,
    private readonly say: Say,
  ) {
    this.limits = comparing(guarded.limits);
    const { app, suite } = guarded;
    this.suite = suite && new LiveSuite(cluster, { ...suite, app }, say);
  }

  /** What is usual, before anything is done. */
  async begin(): Promise<void> {
    const { cluster, guarded } = this;
    const { app, color } = guarded;
    const { suite } = this;
    beginGuard(cluster, app, suite && ((moment) => this.test(suite, moment)));
    this.idleBefore = templateOf(await readDeployment(cluster, app, otherColor(color)));
    this.baseline = await takeBaseline(cluster, guarded, {
      ask: askThroughForward(cluster),
      limits: this.limits,
      live: color,
    });
    this.before = { observation: this.baseline.observation, at: performance.now() };
    this.note = await KeptNote.begin(cluster, app, color, this.say);
    this.say(`${color}, which is live, is observed meanwhile: ${this.whatIsSeen()}`);
    await untilInterrupted((signal) => this.suite?.begin(signal) ?? Promise.resolve());
    await this.note.keep({ runs: this.suite?.runs ?? [] });
  }

  private whatIsSeen(): string {
    const { baseline, limits, suite } = this;
    const pods = baseline?.observation.pods ?? [];
    const isMeasured = limits.requestsFrom !== "pods" || pods.some(({ answered }) => answered);
    return [
      ...(isMeasured ? ["requests"] : []),
      "logs, restarts, readiness",
      ...(suite === undefined ? [] : ["smoke tests"]),
    ]
      .join(", ")
      .concat(isMeasured ? "" : "; none of its pods gave its metrics");
  }

  /** Its smoke tests, once the update has done something. */
  private async test(suite: LiveSuite, moment: string): Promise<void> {
    const { cluster, guarded } = this;
    if (this.harm !== undefined || (await readLiveColor(cluster, guarded.app)) !== guarded.color) return;
    const failing = await untilInterrupted((interrupted) =>
      suite.accuse(moment, AbortSignal.any([interrupted, this.signal])),
    );
    await this.note?.keep({ runs: suite.runs });
    if (failing.length > 0)
      await this.stop(
        `smoke tests that passed before fail ${moment}, twice: ${failing.length}`,
        failing.map(({ title, error }) => `✗ ${title}: ${error.split("\n")[0] ?? ""}`).slice(0, evidenceMax),
      );
  }

  /** In the background, until it is ended, or traffic has moved away. Never throws. */
  observe(): void {
    this.observing = this.loop();
  }

  /** @returns what was seen of it @throws UserError when it was harmed */
  async end(): Promise<string> {
    const { cluster, guarded } = this;
    this.stopped.abort();
    await this.observing;
    const hasMoved = (await readLiveColor(cluster, guarded.app)) !== guarded.color;
    if (!hasMoved && this.harm === undefined) {
      await this.sample(starterGone()).catch((error: unknown) => {
        this.tell(error);
      });
    }
    refuseHarm(cluster, guarded.app);
    endGuard(cluster, guarded.app);
    if (this.note === undefined) return "nothing was observed";
    await this.note.keep({ state: "unharmed" });
    const seen = this.note.describe();
    this.say(`${seen}: no harm was seen`);
    return seen;
  }

  private async loop(): Promise<void> {
    while (!this.signal.aborted && this.harm === undefined) {
      try {
        if ((await readLiveColor(this.cluster, this.guarded.app)) !== this.guarded.color) return;
        await this.check();
        if (this.isDue()) await this.sample(this.signal);
        await this.note?.keepNowAndThen();
        this.problem = "";
      } catch (error) {
        this.tell(error);
      }
      await delay(pollIntervalMs, undefined, { signal: this.signal, ref: false }).catch(() => undefined);
    }
  }

  /** An API server that does not answer harms nobody. */
  private tell(error: unknown): void {
    const message = messageOf(error);
    if (!this.signal.aborted && message !== this.problem)
      this.say(`analysis of ${this.guarded.color}: ${message}`);
    this.problem = message;
  }

  private isDue(): boolean {
    const { before } = this;
    const pods = before?.observation.pods.length ?? 0;
    const seconds = Math.max(Math.min(this.limits.intervalSeconds, intervalSeconds), pods / podsPerSecond);
    return before === undefined || performance.now() - before.at >= seconds * 1000;
  }

  private async check(): Promise<void> {
    const { cluster, guarded } = this;
    const ready = await readyPodsBehind(
      cluster,
      colorService(cluster, guarded.app, guarded.color),
      AbortSignal.any([this.signal, AbortSignal.timeout(5 * pollIntervalMs)]),
    );
    this.empty = ready.length > 0 ? 0 : this.empty + 1;
    if (this.empty >= emptyChecks) await this.stop(`no pod of ${guarded.color} is ready any more`, []);
  }

  private async sample(signal: AbortSignal): Promise<void> {
    const { cluster, guarded, before, baseline, limits } = this;
    const at = performance.now();
    const seconds = before && (at - before.at) / 1000;
    const now = await takeObservation(cluster, guarded, {
      limits,
      ask: askThroughForward(cluster),
      before: before?.observation,
      elapsedSeconds: seconds,
      signal,
    });
    // Pods of the idle color that are not ready yet start: that is no cause which both share.
    delete now.beside;
    this.before = { observation: now, at };
    if (before === undefined || baseline === undefined || seconds === undefined) return;
    // The requests of the tests are nobody's, and no more are the errors that they make a pod log.
    const tested = this.suite?.testedSince(before.at) ?? new Set();
    const untested = (observation: Observation) => ({
      ...observation,
      pods: observation.pods.filter(({ name }) => !tested.has(name)),
    });
    const traffic = trafficOf(limits, untested(before.observation), untested(now));
    this.note?.add(traffic);
    const findings = evaluateObservation(limits, baseline, {
      before: before.observation,
      now,
      seconds,
      traffic,
    });
    await this.decide(
      findings.filter(
        ({ what }) => !(what === "latency" && this.wasSlow()) && !(what === "logErrors" && tested.size > 0),
      ),
    );
  }

  private wasSlow(): boolean {
    const { averageSeconds = 0, p99Seconds = 0 } = this.baseline?.usual ?? {};
    return Math.max(averageSeconds, p99Seconds) > this.limits.latencySeconds;
  }

  private async decide(findings: Finding[]): Promise<void> {
    const { limits } = this;
    const atSeconds = (performance.now() - this.startedAt) / 1000;
    const verdict = evaluate(limits, this.evidence, findings, atSeconds);
    this.evidence = verdict.evidence;
    if (!verdict.isBreach) return;
    const against = verdict.evidence.filter(({ points }) => points > 0);
    await this.stop(
      `${formatPoints(verdict.score)} points, ${limits.failureThreshold} end it`,
      against.map(({ text, points }) => `${formatPoints(points)} points: ${text}`).slice(-evidenceMax),
    );
  }

  private async stop(reason: string, evidence: string[]): Promise<void> {
    if (this.harm !== undefined) return;
    const { cluster, guarded } = this;
    const { app } = guarded;
    const changes = recentChanges(cluster, app);
    // First of all, and without a wait before it: the switch asks for it, and then has the last word.
    const found = harmOf(guarded.color, reason, [...evidence, ...describe(changes)]);
    if (!noteHarm(cluster, app, found)) return;
    this.harm = found;
    await actOnHarm(this.act(reason, evidence, changes));
  }

  private async act(reason: string, evidence: string[], changes: string[]): Promise<void> {
    const { cluster, guarded } = this;
    const { app, color } = guarded;
    const removed = await takeAway(cluster, guarded, this.idleBefore);
    const whole = [...evidence, ...describe(changes), removed];
    const harm = harmOf(color, reason, whole);
    this.harm = harm;
    noteHarm(cluster, app, harm);
    this.say(messageOf(harm));
    await this.note?.keep({ state: "harmed", reason, evidence: whole });
    await alertHarm(cluster, guarded, { harm, reason, evidence: whole }, this.say);
  }
}

function describe(changes: string[]): string[] {
  return [`in the minute before: ${changes.length === 0 ? "nothing of this update" : changes.join("; ")}`];
}

/**
 * By what the live color itself was: config's own limits and questions are for a new version, and what was wrong
 * before is nothing that this update has done.
 */
function comparing(limits: AnalysisLimits): AnalysisLimits {
  return { ...limits, maxErrorPercent: 0, prometheusQueries: [], webhookUrl: "" };
}
