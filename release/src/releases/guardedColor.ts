import { setTimeout as delay } from "node:timers/promises";
import { linksToRun } from "../alerts/ciRun.js";
import { raiseAlert } from "../alerts/raise.js";
import { judge, judgeReading } from "../analysis/judge.js";
import type { Finding, ScoredFinding } from "../analysis/findings.js";
import type { WatchLimits } from "../analysis/limits.js";
import { takeBaseline, type Baseline } from "../analysis/baseline.js";
import { takeReading } from "../analysis/observe.js";
import type { Reading } from "../analysis/reading.js";
import { points as formatPoints } from "../analysis/summary.js";
import { trafficOf } from "../analysis/traffic.js";
import { otherColor, type Color } from "../app/color.js";
import { scale } from "../capacity/grow.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { imageIn } from "../kubernetes/containers.js";
import { readDeployment, scaleWorker, templateOf } from "../kubernetes/deployment.js";
import { readyPodsBehind } from "../kubernetes/endpoints.js";
import { askThroughForward } from "../kubernetes/pods.js";
import type { SuiteInputs } from "../gates/suite.js";
import { colorService } from "../routers/activeService.js";
import { actOnHarm, beginGuard, endGuard, noteHarm, recentChanges, refuseHarm } from "../state/harm.js";
import { readLiveColor } from "../traffic/live.js";
import { untilInterrupted } from "../util/interrupt.js";
import { starterGone } from "../util/processMark.js";
import { messageOf, UserError } from "../util/userError.js";
import type { Say } from "../util/step.js";
import { whoami } from "../util/who.js";
import { KeptNote } from "./keptNote.js";
import { LiveSuite } from "./liveSuite.js";

export interface Guarded {
  app: string;
  /** The live color, and what it runs. */
  color: Color;
  template: string;
  /** What config wants the idle color to run; null where that has no pods. */
  idleTemplate: string | null;
  /** The workers that run beside its pods. */
  idleWorkers: string[];
  limits: WatchLimits;
  /** The smoke tests that are run against it as well; undefined where config does not want that. */
  suite: SuiteInputs | undefined;
}

/** A second of an outage is one of users: the intervals of an analysis may be longer. */
const intervalSeconds = 3;
/** A sample asks each pod: of so many a second. */
const podsPerSecond = 10;
const lookEveryMs = 1000;
/** As in an analysis: a list of endpoints that is rewritten may be found empty once. */
const emptyLooks = 2;
const evidenceMax = 5;

/** The live color while an update works beside it: the same samples and points as after a switch. */
export class GuardedColor {
  private baseline: Baseline | undefined;
  private before: { reading: Reading; at: number } | undefined;
  private evidence: ScoredFinding[] = [];
  private empty = 0;
  private harm: UserError | undefined;
  private readonly startedAt = performance.now();
  private readonly stopped = new AbortController();
  private readonly signal = AbortSignal.any([this.stopped.signal, starterGone()]);
  /** The pods of the idle color before this update: those are nobody's to take away. */
  private idleBefore: string | undefined;
  private readonly limits: WatchLimits;
  private readonly suite: LiveSuite | undefined;
  private note: KeptNote | undefined;
  private trouble = "";
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
    this.before = { reading: this.baseline.reading, at: performance.now() };
    this.note = await KeptNote.begin(cluster, app, color, this.say);
    this.say(`${color}, which is live, is observed meanwhile: ${this.whatIsSeen()}`);
    await untilInterrupted((signal) => this.suite?.begin(signal) ?? Promise.resolve());
    await this.note.keep({ runs: this.suite?.runs ?? [] });
  }

  private whatIsSeen(): string {
    const { baseline, limits, suite } = this;
    const pods = baseline?.reading.pods ?? [];
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
        await this.look();
        if (this.isDue()) await this.sample(this.signal);
        await this.note?.keepNowAndThen();
        this.trouble = "";
      } catch (error) {
        this.tell(error);
      }
      await delay(lookEveryMs, undefined, { signal: this.signal, ref: false }).catch(() => undefined);
    }
  }

  /** An API server that does not answer harms nobody. */
  private tell(error: unknown): void {
    const message = messageOf(error);
    if (!this.signal.aborted && message !== this.trouble) this.say(`watch ${this.guarded.color}: ${message}`);
    this.trouble = message;
  }

  private isDue(): boolean {
    const { before } = this;
    const pods = before?.reading.pods.length ?? 0;
    const seconds = Math.max(Math.min(this.limits.intervalSeconds, intervalSeconds), pods / podsPerSecond);
    return before === undefined || performance.now() - before.at >= seconds * 1000;
  }

  private async look(): Promise<void> {
    const { cluster, guarded } = this;
    const ready = await readyPodsBehind(
      cluster,
      colorService(cluster, guarded.app, guarded.color),
      AbortSignal.any([this.signal, AbortSignal.timeout(5 * lookEveryMs)]),
    );
    this.empty = ready.length > 0 ? 0 : this.empty + 1;
    if (this.empty >= emptyLooks) await this.stop(`no pod of ${guarded.color} is ready any more`, []);
  }

  private async sample(signal: AbortSignal): Promise<void> {
    const { cluster, guarded, before, baseline, limits } = this;
    const at = performance.now();
    const seconds = before && (at - before.at) / 1000;
    const now = await takeReading(cluster, guarded, {
      limits,
      ask: askThroughForward(cluster),
      before: before?.reading,
      elapsedSeconds: seconds,
      signal,
    });
    // Pods of the idle color that are not ready yet start: that is no cause which both share.
    delete now.beside;
    this.before = { reading: now, at };
    if (before === undefined || baseline === undefined || seconds === undefined) return;
    // The requests of the tests are nobody's, and no more are the errors that they make a pod log.
    const tested = this.suite?.testedSince(before.at) ?? new Set();
    const untested = (reading: Reading) => ({
      ...reading,
      pods: reading.pods.filter(({ name }) => !tested.has(name)),
    });
    const traffic = trafficOf(limits, untested(before.reading), untested(now));
    this.note?.add(traffic);
    const findings = judgeReading(limits, baseline, { before: before.reading, now, seconds, traffic });
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
    const verdict = judge(limits, this.evidence, findings, atSeconds);
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
    // First of all, and without a wait before it: the switch looks for it, and then has the last word.
    const found = this.harmBy(reason, [...evidence, ...describe(changes)]);
    if (!noteHarm(cluster, app, found)) return;
    this.harm = found;
    await actOnHarm(this.act(reason, evidence, changes));
  }

  private async act(reason: string, evidence: string[], changes: string[]): Promise<void> {
    const { cluster, guarded } = this;
    const { app, color } = guarded;
    const removed = await this.takeAway(otherColor(color));
    const whole = [...evidence, ...describe(changes), removed];
    const harm = this.harmBy(reason, whole);
    this.harm = harm;
    noteHarm(cluster, app, harm);
    this.say(messageOf(harm));
    await this.note?.keep({ state: "harmed", reason, evidence: whole });
    await raiseAlert(
      cluster,
      {
        kind: "gateFailed",
        gate: "live color",
        code: harm.code,
        app,
        namespace: cluster.namespace,
        version: { color, image: (await this.imageOf(color)) ?? "unknown" },
        who: whoami(),
        why: reason,
        at: new Date(),
        evidence: whole,
        links: linksToRun(),
      },
      this.say,
    );
  }

  private harmBy(reason: string, lines: string[]): UserError {
    const { color } = this.guarded;
    const idle = otherColor(color);
    return new UserError({
      code: "BG-LIVE-HARMED",
      what: `The live color, ${color}, got worse while this update worked beside it: ${reason}`,
      rule: lines.join("\n        "),
      next: `correct the version or its migrations, push a new image, then pulumi config set ${idle}Tag TAG && pulumi up; to try this one again: pulumi up`,
    });
  }

  private async imageOf(color: Color): Promise<string | undefined> {
    const deployment = await readDeployment(this.cluster, this.guarded.app, color).catch(() => undefined);
    return imageIn(deployment);
  }

  /** @returns what became of the pods of the idle color */
  private async takeAway(idle: Color): Promise<string> {
    const { cluster, guarded, idleBefore } = this;
    const { app, color, idleTemplate, idleWorkers } = guarded;
    try {
      const running = templateOf(await readDeployment(cluster, app, idle));
      if (running === undefined || running === idleBefore || running !== idleTemplate)
        return `the pods of ${idle} are not of this update, and stay`;
      // Somebody else may have moved traffic.
      if ((await readLiveColor(cluster, app)) !== color) return `${idle} has traffic, and its pods stay`;
      await scale(cluster, app, idle, 0);
      for (const worker of idleWorkers) await scaleWorker(cluster, { app, color: idle, name: worker }, 0);
      return `the pods of ${idle} were taken away`;
    } catch (error) {
      return `the pods of ${idle} could not be taken away: ${messageOf(error)}`;
    }
  }
}

function describe(changes: string[]): string[] {
  return [`in the minute before: ${changes.length === 0 ? "nothing of this update" : changes.join("; ")}`];
}

/**
 * By what the live color itself was: config's own limits and questions are for a new version, and what was wrong
 * before is nothing that this update has done.
 */
function comparing(limits: WatchLimits): WatchLimits {
  return { ...limits, maxErrorPercent: 0, prometheusQueries: [], webhookUrl: "" };
}
