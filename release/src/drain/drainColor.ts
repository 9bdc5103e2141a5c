import { setTimeout as delay } from "node:timers/promises";
import type { MetricsSource } from "../analysis/limits.js";
import { readCounts } from "../analysis/observe.js";
import { clock } from "../analysis/summary.js";
import { trafficBetween } from "../analysis/traffic.js";
import type { NamespacedName } from "../app/color.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { askThroughForward } from "../kubernetes/pods.js";
import type { Say } from "../util/step.js";
import { messageOf } from "../util/userError.js";
import { askPods, findDrainPods, type ColorPods, type DrainState } from "./pods.js";

const pollIntervalMs = 1000;
const sayEveryMs = 5000;
/** For the API server's answers of one poll, and for those of all pods where there are many. */
const readTimeoutMs = 10_000;

interface DrainOptions {
  /** The budget. */
  seconds: number;
  /** Whether traffic still is where the switch has moved it. */
  isAway: (signal: AbortSignal) => Promise<boolean>;
  say: Say;
  /** Ends the waiting; the pods continue by themselves. */
  signal: AbortSignal;
}

/** over: nothing is left, or the budget is. back: traffic returned to these very pods. */
export interface Drained {
  end: "over" | "back";
  /** How long it took. */
  seconds: number;
  left: Left;
  /** Pods that said what is open on them, and those that did not. */
  measured: number;
  unmeasured: number;
}

/**
 * Tells the pods of a color to drain, and waits until nobody is left on them or
 * the budget is over. It cuts nobody. An API server that does not answer costs time, and no more.
 */
export async function drainColor(
  cluster: Cluster,
  target: ColorPods,
  { seconds, isAway, say, signal }: DrainOptions,
): Promise<Drained> {
  const started = performance.now();
  const tally = new Tally();
  const elapsed = () => (performance.now() - started) / 1000;
  let unmeasured = 0;
  let said = started;
  let problem = "";
  const ended = (end: Drained["end"]): Drained => ({
    end,
    seconds: elapsed(),
    left: tally.left,
    measured: tally.measured,
    unmeasured: unmeasured + tally.silent,
  });

  for (;;) {
    signal.throwIfAborted();
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(readTimeoutMs)]);
    const left = seconds - elapsed();
    try {
      if (!(await isAway(deadline))) return ended("back");
      const found = await findDrainPods(cluster, target, deadline);
      unmeasured = found.unmeasured;
      tally.keep(found.pods.map(({ name }) => name));
      const open = found.pods.filter(({ name }) => tally.isOpen(name));
      // In whole seconds: what is left is less than the budget from the first millisecond on.
      const answers = await askPods(cluster, open, deadline, ({ name }) =>
        left > 0 && tally.isUntold(name) ? Math.ceil(left) : undefined,
      );
      for (const [index, { name }] of open.entries()) tally.note(name, answers[index]);
      if (open.every(({ name }) => !tally.isOpen(name))) return ended("over");
      problem = "";
    } catch (error) {
      signal.throwIfAborted();
      const message = messageOf(error);
      if (message !== problem) say(`draining ${target.color}: ${message}`);
      problem = message;
    }
    if (left <= 0) return ended("over");
    if (performance.now() - said >= sayEveryMs) {
      said = performance.now();
      say(`draining ${target.color} ${clock(elapsed())} of ${clock(seconds)} · ${describeLeft(tally.left)}`);
    }
    await delay(Math.min(pollIntervalMs, Math.max(0, seconds - elapsed()) * 1000), undefined, {
      signal,
    }).catch(() => undefined);
  }
}

/** 12 connections, 3 of them streams, on 2 pods */
export function describeLeft({ connections, streams, pods }: Left): string {
  const some = (number: number, what: string) => `${number} ${what}${number === 1 ? "" : "s"}`;
  return `${some(connections, "connection")}, ${streams} of them streams, on ${some(pods, "pod")}`;
}

/**
 * A connection that a node has routed to the old color before it heard of the switch shows within this many
 * polls.
 */
const quietPolls = 3;
/**
 * A pod that has not answered by then has nobody at its drain port. One that once has is waited for: it may
 * be busy.
 */
const silentPolls = 3;

interface Seen {
  state: DrainState | undefined;
  /** Polls in a row without a connection. */
  quiet: number;
  /** Polls without an answer. */
  silent: number;
}

interface Left {
  connections: number;
  streams: number;
  /** That have connections. */
  pods: number;
}

/** What is known of the pods that drain, from poll to poll. */
export class Tally {
  private readonly seen = new Map<string, Seen>();

  /** Forgets the pods that are gone. */
  keep(names: readonly string[]): void {
    for (const name of this.seen.keys()) {
      if (!names.includes(name)) this.seen.delete(name);
    }
  }

  note(name: string, state: DrainState | undefined): void {
    const before = this.seen.get(name) ?? { state: undefined, quiet: 0, silent: 0 };
    this.seen.set(
      name,
      state === undefined
        ? { ...before, quiet: 0, silent: before.silent + 1 }
        : { ...before, state, quiet: state.connections === 0 ? before.quiet + 1 : 0 },
    );
  }

  /** Whether a pod has to be told to drain: it was not yet, or it has started again since. */
  isUntold(name: string): boolean {
    return this.seen.get(name)?.state?.draining !== true;
  }

  /** Whether a pod still has to be waited for. */
  isOpen(name: string): boolean {
    const seen = this.seen.get(name);
    return (
      seen === undefined || (seen.state === undefined ? seen.silent < silentPolls : seen.quiet < quietPolls)
    );
  }

  /** Pods that have said what is open on them. */
  get measured(): number {
    return this.states().length;
  }

  /** Those that have never said it. */
  get silent(): number {
    return this.seen.size - this.measured;
  }

  get left(): Left {
    const states = this.states();
    return {
      connections: states.reduce((total, { connections }) => total + connections, 0),
      streams: states.reduce((total, { streams }) => total + streams, 0),
      pods: states.filter(({ connections }) => connections > 0).length,
    };
  }

  private states(): DrainState[] {
    return [...this.seen.values()].flatMap(({ state }) => state ?? []);
  }
}

/** Requests that a color still answers although traffic has left it. */
interface Staying {
  /** In the last window. */
  requests: number;
  windowSeconds: number;
  /** Of how many pods that is known. */
  measuredPods: number;
  pods: number;
}

interface StayingOptions {
  metrics: MetricsSource;
  /** What is left of the time. */
  seconds: number;
  /** Whether traffic still is where the switch has brought it. */
  isAway: (signal: AbortSignal) => Promise<boolean>;
  signal: AbortSignal;
}

const windowSeconds = 5;

/**
 * Waits until pods that say nothing of their connections answer nobody any more, or the time is over. What is open
 * on them cannot be asked; whether clients still use it shows in their metrics. At the least one window is counted.
 */
export async function awaitQuiet(
  cluster: Cluster,
  target: ColorPods,
  { metrics, seconds, isAway, signal }: StayingOptions,
): Promise<Staying> {
  const started = performance.now();
  const ask = askThroughForward(cluster);
  let before = await readCounts(cluster, target, { ask, metrics, signal });
  for (;;) {
    await delay(windowSeconds * 1000, undefined, { signal });
    const now = await readCounts(cluster, target, { ask, metrics, signal });
    const { requests, measuredPods, pods } = trafficBetween(before, now);
    before = now;
    const isOver = requests === 0 || performance.now() - started + windowSeconds * 1000 > seconds * 1000;
    if (isOver || !(await isAway(signal))) return { requests, windowSeconds, measuredPods, pods };
  }
}

/** What people are told. @param deployment of the color, as `kubectl` finds it */
export function describeStaying(
  color: string,
  { requests, windowSeconds: window, measuredPods, pods }: Staying,
  deployment: NamespacedName,
): string {
  if (measuredPods === 0)
    return `whether clients still use connections to ${color} is not known: none of its ${pods} pods gave its metrics. A kept connection stays on the old version until it ends (docs/guides/connection-draining.md#apps-without-draining)`;
  const of = measuredPods < pods ? `, by ${measuredPods} of ${pods} pods` : "";
  return requests === 0
    ? `${color} answered no request in ${window} s${of}: clients have left it`
    : `${color} still answered ${requests} requests in ${window} s${of}: clients that keep their connections stay on the old version until those end. They end with its pods, at the latest when it is scaled down. To end them, where the server finishes its answers on SIGTERM: kubectl -n ${deployment.namespace} rollout restart deployment ${deployment.name} (docs/guides/connection-draining.md#apps-without-draining)`;
}
