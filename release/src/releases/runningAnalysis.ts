import { colorService } from "../routers/services.js";
import { otherColor, type NamespacedName } from "../app/color.js";
import { connect, type Cluster, type ClusterRef } from "../kubernetes/cluster.js";
import { serverTime } from "../kubernetes/requests.js";
import { names } from "../app/names.js";
import { untilAnswered } from "../util/poll.js";
import { messageOf } from "../util/userError.js";
import { evaluate, evaluateEndpoints, evaluateObservation } from "../analysis/evaluate.js";
import type { Finding, ScoredFinding } from "../analysis/findings.js";
import {
  readEndpointState,
  type EndpointState,
  type AnalysisTarget,
  type Observation,
} from "../analysis/observation.js";
import { readBeside, takeObservation } from "../analysis/observe.js";
import {
  describeInterval,
  figuresOf,
  points as formatPoints,
  summarize,
  type ObservationSummary,
} from "../analysis/summary.js";
import { measuredRequests, trafficOf } from "../analysis/traffic.js";
import type { AnalysisSettings } from "../config/analysisSettings.js";
import { isInEffect, type Release } from "../state/record.js";
import { bounded, readSamples, writeSamples, type Sample } from "../state/samples.js";
import { AutomaticRollback, type AnalysisEnd, type AnalysisOptions } from "./automaticRollback.js";

/** What a person reads at night. */
const evidenceMax = 8;

/** Somebody has analyzed it before: an update that is over, or was killed, or a controller that was replaced. */
function isTakenOver({ state }: Release): boolean {
  return state !== "approved";
}

/** What one analysis has seen so far. */
export class RunningAnalysis {
  private readonly cluster: Cluster;
  private readonly target: AnalysisTarget & { service: NamespacedName };
  private readonly startedAt = performance.now();
  /**
   * The observation before, and when it was begun. None yet where another process has analyzed before: what happened
   * then was evaluated then.
   */
  private before: { observation: Observation; at: number } | undefined;
  /** Of this release, those of other processes as well. */
  private samples: Sample[] = [];
  private lastState: { state: EndpointState; at: number } | undefined;
  /** In the background: an observation of many pods takes longer than users wait for a color that is gone. */
  private observation: Promise<void> | undefined;
  private nextObservationAt: number;
  /** Of the last observation, until they are evaluated. */
  private found: Finding[] = [];
  private evidence: ScoredFinding[] = [];
  private readonly automatic: AutomaticRollback;
  /** Once for each time that both colors are away. */
  private isSharedTold = false;
  /** The last that was said, so that an outage is one line. */
  private problem = "";

  constructor(
    private readonly where: ClusterRef & { app: string },
    private readonly release: Release,
    private readonly options: AnalysisOptions,
  ) {
    const { to, baseline, weight } = release;
    this.cluster = connect(where);
    this.automatic = new AutomaticRollback(this.cluster, where, release, options);
    this.target = {
      app: where.app,
      color: to.color,
      template: to.template,
      service:
        weight < 100 || where.namespacePerColor
          ? colorService(where, where.app, to.color)
          : { namespace: where.namespace, name: names.activeService(where.app) },
    };
    if (!isTakenOver(release))
      this.before = { observation: baseline.observation, at: this.startedAt - options.sinceMs };
    this.nextObservationAt = this.startedAt + this.limits.intervalSeconds * 1000;
  }

  /** Continues from the score that others have left. */
  async takeOver(): Promise<void> {
    if (!isTakenOver(this.release)) return;
    const { cluster } = this;
    const read = () =>
      Promise.all([readSamples(cluster, this.where.app, this.release.id), serverTime(cluster)]);
    const [samples, now] = await untilAnswered(read).catch((error: unknown) => {
      this.options.say(
        `analysis of ${this.target.color}: begins without the score of before: ${messageOf(error)}`,
      );
      return [[], new Date()] as const;
    });
    this.samples = [...samples];
    this.evidence = samples.flatMap(({ at, findings }) =>
      findings.map((finding) => ({
        ...(finding as Finding),
        atSeconds: (Date.parse(at) - now.getTime()) / 1000,
      })),
    );
  }

  private get limits(): AnalysisSettings["limits"] {
    return this.options.settings.limits;
  }

  /** The endpoints, and an observation when its time has come. @returns how the analysis has ended, if it has */
  async check(): Promise<AnalysisEnd | undefined> {
    const { signal, say } = this.options;
    try {
      if (!(await isInEffect(this.cluster, this.where.app, this.release, this.options.settings.route)))
        return await this.whoMoved();
      this.startObservation();
      const state = await this.readEndpoints();
      if (state.isShared) await this.tellShared();
      else this.isSharedTold = false;
      const findings = [...evaluateEndpoints(this.release.baseline, state), ...this.found.splice(0)];
      const end = await this.decide(findings);
      this.problem = "";
      return end;
    } catch (error) {
      signal.throwIfAborted();
      const message = messageOf(error);
      if (message !== this.problem) say(`analysis of ${this.target.color}: ${message}`);
      this.problem = message;
      return undefined;
    }
  }

  /** @returns how it has ended now that its time is over */
  async over(): Promise<AnalysisEnd> {
    await this.observation;
    if (this.automatic.stuck !== undefined) {
      const { reason, evidence } = this.automatic.stuck;
      return { end: "stuck", reason, evidence };
    }
    const { baseline, weight } = this.release;
    const { observation } = baseline;
    const traffic = trafficOf(this.limits, observation, this.before?.observation ?? observation);
    if (this.limits.noData === "fail" && traffic.requests <= traffic.unclassified) return this.failBlind();
    return {
      end: "over",
      requests: measuredRequests(traffic),
      beside: weight < 100 ? await this.beside() : null,
    };
  }

  /** Config says that a version is not to stay of which nobody has seen whether it is well. */
  private async failBlind(): Promise<AnalysisEnd> {
    const reason = "no data: no request, or no status of one, was seen, and analysis.noData is fail";
    const failed = await this.automatic.act(reason, []);
    return failed ?? { end: "stuck", reason, evidence: this.automatic.stuck?.evidence ?? [] };
  }

  /** Null where nothing can be told of it. */
  private beside(): Promise<number | null> {
    const { limits } = this;
    const { ask, signal } = this.options;
    const other = { app: this.where.app, color: otherColor(this.target.color) };
    return readBeside(this.cluster, other, this.release.baseline, { limits, ask, signal });
  }

  private async readEndpoints(): Promise<EndpointState> {
    const at = performance.now();
    const last = this.lastState;
    const state = await readEndpointState(
      this.cluster,
      this.target,
      last && { state: last.state, elapsedSeconds: (at - last.at) / 1000 },
    );
    this.lastState = { state, at };
    return state;
  }

  private startObservation(): void {
    const at = performance.now();
    if (this.observation !== undefined || at < this.nextObservationAt) return;
    this.nextObservationAt = at + this.limits.intervalSeconds * 1000;
    this.observation = this.read(at)
      .catch((error: unknown) => {
        if (!this.options.signal.aborted)
          this.options.say(`analysis of ${this.target.color}: no observation: ${messageOf(error)}`);
      })
      .finally(() => {
        this.observation = undefined;
      });
  }

  private async read(at: number): Promise<void> {
    const { limits } = this;
    const { baseline } = this.release;
    const { ask, signal } = this.options;
    const { before } = this;
    const seconds = before && (at - before.at) / 1000;
    const now = await takeObservation(this.cluster, this.target, {
      limits,
      ask,
      before: before?.observation,
      elapsedSeconds: seconds,
      signal,
    });
    this.before = { observation: now, at };
    if (before === undefined || seconds === undefined) return;
    const seen = summarize(this.target, limits, before.observation, now);
    const { traffic } = seen;
    const movedSeconds = (before.at - this.startedAt + this.options.sinceMs) / 1000;
    const findings = evaluateObservation(limits, baseline, {
      before: before.observation,
      now,
      seconds,
      traffic,
      movedSeconds,
    });
    this.found.push(...findings);
    await this.tell(seen, now, findings);
  }

  /** In a long analysis an interval in which nothing happened is no news. */
  private async tell(seen: ObservationSummary, now: Observation, findings: Finding[]): Promise<void> {
    const { limits } = this;
    const { forMs, say } = this.options;
    const atSeconds = this.seconds();
    const { score } = evaluate(limits, this.evidence, findings, atSeconds);
    const line = describeInterval({
      limits,
      seen,
      now,
      atSeconds,
      totalSeconds: forMs / 1000,
      score,
    });
    // Without points is what people are to know, and below zero what speaks for the version.
    const against = findings.filter(({ points }) => points >= 0);
    if (forMs <= limits.durationSeconds * 1000 || score > 0) {
      say(line);
      for (const { text, points } of against) say(`  ${formatPoints(points)} points: ${text}`);
    }
    await this.keep({ line, figures: figuresOf(seen), score, findings });
  }

  /** What cannot be kept is in the output all the same. */
  private async keep(seen: Omit<Sample, "at">): Promise<void> {
    try {
      const at = (await serverTime(this.cluster)).toISOString();
      this.samples = bounded([...this.samples, { at, ...seen }]);
      await writeSamples(this.cluster, this.where.app, this.release.id, this.samples);
    } catch (error) {
      this.options.say(`analysis of ${this.target.color}: a sample could not be kept: ${messageOf(error)}`);
    }
  }

  private async decide(findings: Finding[]): Promise<AnalysisEnd | undefined> {
    const { limits } = this;
    const verdict = evaluate(limits, this.evidence, findings, this.seconds());
    this.evidence = verdict.evidence;
    if (!verdict.isBreach) {
      this.automatic.stuck = undefined;
      return undefined;
    }
    const hard = findings.find(({ act }) => act === true);
    const reason = hard?.text ?? `${formatPoints(verdict.score)} points, ${limits.failureThreshold} end it`;
    // The newest last, as in a log; the last ones tell most.
    const evidence = verdict.evidence
      .filter(({ text, points }) => text !== reason && points > 0)
      .map(({ text, points }) => `${formatPoints(points)} points: ${text}`)
      .slice(-evidenceMax);
    return this.automatic.act(reason, evidence);
  }

  /** A try of this analysis, whose answer was lost, may be what has moved them. */
  private whoMoved(): Promise<AnalysisEnd | undefined> {
    const { stuck } = this.automatic;
    return stuck === undefined
      ? Promise.resolve({ end: "superseded" })
      : this.automatic.act(stuck.reason, stuck.evidence);
  }

  /** Nothing is decided: traffic on the other color would fail as well. */
  private async tellShared(): Promise<void> {
    if (this.isSharedTold) return;
    this.isSharedTold = true;
    const { color } = this.target;
    await this.automatic.shout(
      `no pod of ${color} is ready, and none of ${otherColor(color)} either: traffic stays, and the analysis waits`,
      "both colors have no ready pod: what they share has failed, and neither version is at fault",
      [],
    );
  }

  private seconds(): number {
    return (performance.now() - this.startedAt) / 1000;
  }
}
