import { setTimeout as delay } from "node:timers/promises";
import type { Cluster } from "../kubernetes/cluster.js";
import { messageOf } from "../util/userError.js";
import type { Say } from "../util/step.js";
import { clock } from "../analysis/summary.js";
import { askPods, findDrainPods, type ColorPods } from "./pods.js";
import { Tally, type Left } from "./tally.js";

const pollIntervalMs = 1000;
const sayEveryMs = 5000;
/** For the API server's answers of one poll, and for those of all pods where there are many. */
const readTimeoutMs = 10_000;

export interface DrainOptions {
  /** The budget. */
  seconds: number;
  /** Whether users still are where the switch has brought them. */
  isAway: (signal: AbortSignal) => Promise<boolean>;
  say: Say;
  /** Ends the waiting; the pods continue by themselves. */
  signal: AbortSignal;
}

/** over: nothing is left, or the budget is. back: traffic came back to these very pods. */
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
 * Tells the pods of a color to lead their clients away, and waits until nobody is left on them or
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
  let trouble = "";
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
      trouble = "";
    } catch (error) {
      signal.throwIfAborted();
      const message = messageOf(error);
      if (message !== trouble) say(`draining ${target.color}: ${message}`);
      trouble = message;
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
