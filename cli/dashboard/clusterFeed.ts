import { setTimeout as delay } from "node:timers/promises";
import { connect, messageOf, type Color } from "@bluegreen/release";
import { followTraffic } from "@bluegreen/release/traffic/live";
import { KeptForwards } from "@bluegreen/release/kubernetes/keptForwards";
import { readHistory } from "@bluegreen/release/state/history";
import { readReleaseStatus, type ReleaseStatusRef } from "@bluegreen/release/releases/status";
import { readCounts } from "@bluegreen/release/analysis/observe";
import type { Board } from "./board";
import { releaseView } from "./releaseView";
import { observationsKept, sampleOf, type Counted } from "./sample";

export interface FeedOptions {
  /**
   * Read again for each poll: config changes under it. @throws UserError when it makes no sense at this moment
   */
  ref: () => ReleaseStatusRef;
  /** Which of the board's clusters it is. */
  index: number;
  board: Board;
  /** Traffic has been moved, by whoever it was. */
  historyGrew: () => void;
  signal: AbortSignal;
  /**
   * Between the end of a poll and the next one, in milliseconds. A move of traffic does not wait for it.
   * @default 2000
   */
  pollIntervalMs?: number;
}

/** A database that does not answer takes ten; an API server that hangs would take minutes. */
const refreshTimeoutMs = 15_000;
const sampleEveryMs = 1000;

/** Keeps one cluster of a board as it is, until the signal comes. */
export async function followCluster(options: FeedOptions): Promise<void> {
  const feed = new ClusterFeed(options);
  await Promise.all([feed.follow(), feed.keepPolling(), feed.keepCounting()]);
}

class ClusterFeed {
  /** Ends the pause before the next poll. */
  private awake = new AbortController();
  /** How often traffic has been seen to move: a poll that began before says where it was. */
  private moves = 0;
  private shown = "";
  private refreshing: Promise<void> | undefined;
  private historyLength: number | undefined;

  constructor(private readonly options: FeedOptions) {}

  follow(): Promise<void> {
    const { ref, signal } = this.options;
    const wake = () => {
      this.awake.abort();
    };
    const live = (color: Color | undefined) => {
      this.noteLive(color);
      wake();
    };
    return followTraffic(ref(), { live, weights: wake }, signal);
  }

  async keepPolling(): Promise<void> {
    const { index, board, signal, pollIntervalMs = 2000 } = this.options;
    while (!signal.aborted) {
      try {
        // One that is late continues to its end, and no other begins beside it.
        this.refreshing ??= this.refresh().finally(() => (this.refreshing = undefined));
        await within(refreshTimeoutMs, this.refreshing);
      } catch (error) {
        const away = board.state.clusters[index]?.away;
        const why = messageOf(error);
        if (away?.why !== why)
          board.tell({ type: "away", cluster: index, since: away?.since ?? new Date().toISOString(), why });
        this.shown = "";
      }
      const pause = this.awake.signal;
      await board.pause(pollIntervalMs, AbortSignal.any([signal, pause]));
      if (pause.aborted) this.awake = new AbortController();
    }
  }

  private async refresh(): Promise<void> {
    const { index, board, historyGrew } = this.options;
    const ref = this.options.ref();
    const moves = this.moves;
    const [status, history] = await Promise.all([readReleaseStatus(ref), readHistory(connect(ref), ref.app)]);
    // Traffic has moved meanwhile: what was read is from before, and the next poll says it all.
    if (moves !== this.moves) return;
    this.noteLive(status.live ?? undefined);
    const release = releaseView(status, history);
    const shown = JSON.stringify(release);
    if (shown !== this.shown) board.tell({ type: "release", cluster: index, release });
    this.shown = shown;
    if (history.length !== this.historyLength) historyGrew();
    this.historyLength = history.length;
  }

  /** Whoever sees it first says it: the watch of the Service, or a poll. */
  private noteLive(live: Color | undefined): void {
    const { index, board } = this.options;
    const known = board.state.clusters[index]?.release?.live ?? undefined;
    if (live === undefined || known === undefined || live === known) return;
    this.moves++;
    this.shown = "";
    board.tell({ type: "moved", cluster: index, move: { at: Date.now(), to: live } });
  }

  async keepCounting(): Promise<void> {
    const { index, board, signal } = this.options;
    const forwards = new KeptForwards();
    let observations: Counted[] = [];
    while (!signal.aborted) {
      const at = performance.now();
      const counted = await this.count(at, forwards).catch(() => undefined);
      // What cannot be read is a gap, and what comes after it is not compared with what was before.
      observations = counted === undefined ? [] : [...observations, counted].slice(-observationsKept);
      board.tell({ type: "sample", cluster: index, sample: sampleOf(observations, Date.now()) });
      if (board.isRead) forwards.closeUnasked();
      else forwards.close();
      await board.pause(Math.max(0, at + sampleEveryMs - performance.now()), signal);
    }
    forwards.close();
  }

  private async count(at: number, forwards: KeptForwards): Promise<Counted> {
    const { signal } = this.options;
    const ref = this.options.ref();
    const cluster = connect(ref);
    const ask = forwards.through(cluster);
    const [blue, green] = await Promise.all(
      (["blue", "green"] as const).map((color) =>
        readCounts(cluster, { app: ref.app, color }, { ask, metrics: ref.metrics, signal }),
      ),
    );
    return { at, pods: { blue: blue ?? [], green: green ?? [] } };
  }
}

async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  const late = delay(timeoutMs, undefined, { ref: false }).then(() => {
    throw new Error(`no answer within ${timeoutMs / 1000} s`);
  });
  return Promise.race([work, late]);
}
