import { setTimeout as delay } from "node:timers/promises";
import type { AskPod } from "../kubernetes/pods.js";
import { colorService } from "../activeService.js";
import { linksToRun } from "../alerts/ciRun.js";
import { raiseAlert } from "../alerts/raise.js";
import { otherColor } from "../color.js";
import { connect, type Cluster, type ClusterRef } from "../kubernetes/cluster.js";
import type { HeldLease } from "../kubernetes/lease.js";
import type { NamespacedName } from "../kubernetes/namespacedName.js";
import { serverTime } from "../kubernetes/serverTime.js";
import { names } from "../names.js";
import { messageOf, Refusal } from "../refusal.js";
import type { Say } from "../step.js";
import { judge, judgeLook, judgeReading, type Finding, type ScoredFinding } from "../watch/judge.js";
import { takeLook, type Look, type WatchTarget } from "../watch/look.js";
import { readCounts, takeReading } from "../watch/observe.js";
import type { Reading } from "../watch/reading.js";
import { describeInterval } from "../watch/summary.js";
import { trafficBetween } from "../watch/traffic.js";
import type { AnalysisSettings } from "./analysisSettings.js";
import { isWhereUsersAre, type Release } from "./record.js";
import { takeBack } from "./takeBack.js";

export interface WatchOptions {
  /** By what it is judged, and how it is taken back. */
  settings: AnalysisSettings;
  /** How long. */
  forMs: number;
  /** How long ago users moved. */
  sinceMs: number;
  /** How pods are asked for their metrics. */
  ask: AskPod;
  lease: HeldLease;
  /** Who watches, for the mark and the history. */
  by: string;
  say: Say;
  /** Ends it. */
  signal: AbortSignal;
  /** Called with every look. */
  looked?: () => void;
}

/**
 * How a watch ended. over: users stay; beside is what the other color got meanwhile, where users were shared out. breach: they were taken back. stuck: they were to be, and could
 * not. superseded: somebody else has moved them, or begun another switch. lost: somebody else watches.
 */
export type Watched = { end: "over"; requests: number | undefined; beside: number | undefined } | { end: "breach" | "stuck"; reason: string; evidence: string[] } | { end: "superseded" } | { end: "lost" };

/** The hard limits are looked at that often. */
const lookEveryMs = 1000;
/** What a person reads at night. */
const evidenceMax = 8;

/**
 * Watches the color that users were moved to, and takes them back. One loop for whoever watches: the
 * update at first, the watcher in the cluster when the update is over, or dead. An API server that
 * does not answer ends nothing: nobody could move users meanwhile either.
 * @throws when it is interrupted
 */
export async function watchRelease(where: ClusterRef & { app: string }, release: Release, options: WatchOptions): Promise<Watched> {
  const watching = new Watching(where, release, options);
  const { signal, lease, forMs, looked } = options;
  const until = performance.now() + forMs;
  while (performance.now() < until) {
    signal.throwIfAborted();
    if (lease.lost.aborted) return { end: "lost" };
    const end = await watching.look();
    if (end !== undefined) return end;
    looked?.();
    await delay(Math.max(0, Math.min(lookEveryMs, until - performance.now())), undefined, { signal }).catch(() => undefined);
  }
  return watching.over();
}

/** What one watch has seen so far. */
class Watching {
  private readonly cluster: Cluster;
  private readonly target: WatchTarget & { service: NamespacedName };
  private readonly startedAt = performance.now();
  /** The reading before, and when it was begun. */
  private before: { reading: Reading; at: number };
  private lastLook: { look: Look; at: number } | undefined;
  /** In the background: a reading of many pods takes longer than users wait for a color that is gone. */
  private reading: Promise<void> | undefined;
  private nextReadingAt: number;
  /** Of the last reading, until they are judged. */
  private found: Finding[] = [];
  private evidence: ScoredFinding[] = [];
  private stuck: { reason: string; evidence: string[] } | undefined;
  /** The last that was said, so that an outage is one line. */
  private trouble = "";

  constructor(
    private readonly where: ClusterRef & { app: string },
    private readonly release: Release,
    private readonly options: WatchOptions,
  ) {
    const { to, baseline, share } = release;
    this.cluster = connect(where);
    this.target = { app: where.app, color: to.color, template: to.template, service: share < 100 || where.isolation === "namespaces" ? colorService(where, where.app, to.color) : { namespace: where.namespace, name: names.activeService(where.app) } };
    this.before = { reading: baseline.reading, at: this.startedAt - options.sinceMs };
    this.nextReadingAt = this.startedAt + this.limits.everySeconds * 1000;
  }

  private get limits(): AnalysisSettings["limits"] {
    return this.options.settings.limits;
  }

  /** One look, and a reading when its time has come. @returns how the watch has ended, if it has */
  async look(): Promise<Watched | undefined> {
    const { signal, say } = this.options;
    try {
      if (!(await isWhereUsersAre(this.cluster, this.where.app, this.release, this.options.settings.route))) return { end: "superseded" };
      this.startReading();
      const findings = [...judgeLook(this.release.baseline, await this.takeLook()), ...this.found.splice(0)];
      const end = await this.decide(findings);
      this.trouble = "";
      return end;
    } catch (error) {
      signal.throwIfAborted();
      const message = messageOf(error);
      if (message !== this.trouble) say(`watch ${this.target.color}: ${message}`);
      this.trouble = message;
      return undefined;
    }
  }

  /** @returns how it has ended now that its time is over */
  async over(): Promise<Watched> {
    await this.reading;
    if (this.stuck !== undefined) return { end: "stuck", ...this.stuck };
    const { baseline, share } = this.release;
    return { end: "over", requests: trafficBetween(baseline.reading.pods, this.before.reading.pods).requests, beside: share < 100 ? await this.beside() : undefined };
  }

  /** Undefined where nothing can be told of it. */
  private async beside(): Promise<number | undefined> {
    const { ask, signal } = this.options;
    const before = this.release.baseline.beside;
    if (before === undefined) return undefined;
    const now = await readCounts(this.cluster, { app: this.where.app, color: otherColor(this.target.color) }, ask, signal);
    return trafficBetween(before, now).requests;
  }

  private async takeLook(): Promise<Look> {
    const at = performance.now();
    const last = this.lastLook;
    const look = await takeLook(this.cluster, this.target, last && { look: last.look, elapsedSeconds: (at - last.at) / 1000 });
    this.lastLook = { look, at };
    return look;
  }

  private startReading(): void {
    const at = performance.now();
    if (this.reading !== undefined || at < this.nextReadingAt) return;
    this.nextReadingAt = at + this.limits.everySeconds * 1000;
    this.reading = this.read(at)
      .catch((error: unknown) => {
        if (!this.options.signal.aborted) this.options.say(`watch ${this.target.color}: no reading: ${messageOf(error)}`);
      })
      .finally(() => { this.reading = undefined; });
  }

  private async read(at: number): Promise<void> {
    const { limits } = this;
    const { baseline } = this.release;
    const { ask, signal } = this.options;
    const { reading: before } = this.before;
    const now = await takeReading(this.cluster, this.target, { limits, ask, before, elapsedSeconds: (at - this.before.at) / 1000, signal });
    this.before = { reading: now, at };
    const findings = judgeReading(limits, baseline, before, now);
    this.found.push(...findings);
    this.tell(before, now, findings);
  }

  /** In a long watch an interval in which nothing happened is no news. */
  private tell(before: Reading, now: Reading, findings: Finding[]): void {
    const { limits } = this;
    const { forMs, say } = this.options;
    const atSeconds = this.seconds();
    const { score } = judge(limits, this.evidence, findings, atSeconds);
    if (forMs > limits.seconds * 1000 && score === 0) return;
    say(describeInterval({ target: this.target, limits, before, now, atSeconds, totalSeconds: forMs / 1000, score }));
    for (const { text, points } of findings) say(`  ${points} points: ${text}`);
  }

  private async decide(findings: Finding[]): Promise<Watched | undefined> {
    const { limits } = this;
    const verdict = judge(limits, this.evidence, findings, this.seconds());
    this.evidence = verdict.evidence;
    if (!verdict.isBreach) {
      this.stuck = undefined;
      return undefined;
    }
    const hard = findings.find(({ act }) => act === true);
    const reason = hard?.text ?? `${verdict.score} points, ${limits.threshold} end it`;
    // The newest last, as in a log; the last ones tell most.
    const evidence = verdict.evidence.filter(({ text }) => text !== reason).map(({ text, points }) => `${points} points: ${text}`).slice(-evidenceMax);
    return this.act(reason, evidence);
  }

  private async act(reason: string, evidence: string[]): Promise<Watched | undefined> {
    const { by, say, settings } = this.options;
    try {
      const back = await takeBack({ where: this.where, undone: this.release, settings, reason, evidence, by }, say);
      return back ? { end: "breach", reason, evidence } : { end: "superseded" };
    } catch (error) {
      // The other color is no better. It may become so: the next look tries again.
      if (!(error instanceof Refusal)) throw error;
      if (this.stuck === undefined) await this.shout(error, reason, evidence);
      this.stuck = { reason, evidence: [...evidence, error.message] };
      return undefined;
    }
  }

  private async shout(error: Refusal, reason: string, evidence: string[]): Promise<void> {
    const { by, say } = this.options;
    const { app, namespace } = this.where;
    say(error.message);
    const at = await serverTime(this.cluster);
    await raiseAlert(this.cluster, { kind: "gateFailed", gate: "rollback", app, namespace, version: this.release.to, who: by, why: reason, at, evidence: [...evidence, error.message], links: linksToRun() }, say);
  }

  private seconds(): number {
    return (performance.now() - this.startedAt) / 1000;
  }
}
