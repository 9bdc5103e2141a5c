import type { Connections } from "./connections";
import type { Log } from "./log";
import type { Streams } from "./streams";

/** What is open now. */
export interface DrainState {
  draining: boolean;
  /** Streams and probes: with the first, without the second. */
  connections: number;
  streams: number;
  /** Answers that have not ended, streams not among them. */
  requests: number;
}

/** Of the time: clients of streams come back one after the other, and have time to. */
const STREAMS_UNTIL = 1 / 2;
/**
 * A close can meet a request that is on its way, and fail it. Whoever asks at all has been told to
 * leave with an answer by then; those left ask so rarely that the two hardly ever meet.
 */
const IDLE_FROM = 2 / 3;
/** Room for the last answers, and for the release to see that nobody is left. */
const IDLE_UNTIL = 5 / 6;
/** Idle ones go in this many portions. */
const PORTIONS = 8;

/**
 * Leads clients away for a time, because a release has moved them to the other color: a Service
 * that points elsewhere does not move connections that are open. New ones are served as ever, and
 * readiness stays: users may come back to this very pod. The contract: docs/guides/connection-draining.md.
 */
export class Drain {
  #endsAt = 0;
  #timers: NodeJS.Timeout[] = [];

  constructor(
    private readonly connections: Connections,
    private readonly streams: Streams,
    private readonly log: Log,
  ) {}

  get active(): boolean {
    return performance.now() < this.#endsAt;
  }

  get state(): DrainState {
    const streams = this.streams.size;
    return {
      draining: this.active,
      connections: this.connections.size,
      streams,
      requests: this.connections.answering - streams,
    };
  }

  /** From now on for so long, whatever was asked for before. */
  begin(seconds: number): void {
    this.#cancel();
    const ms = seconds * 1000;
    this.#endsAt = performance.now() + ms;
    this.log("info", "draining", { seconds, ...this.state });
    this.connections.announceEnd();
    this.streams.endWithin(ms * STREAMS_UNTIL);
    const pauseMs = (ms * (IDLE_UNTIL - IDLE_FROM)) / (PORTIONS - 1);
    // A connection that was opened meanwhile is about to ask: it has a third of the time for that.
    const idleMs = ms * (1 - IDLE_FROM);
    for (let portion = 0; portion < PORTIONS; portion += 1) {
      this.#after(ms * IDLE_FROM + portion * pauseMs, () => {
        this.#closeIdle(idleMs, 1 / (PORTIONS - portion));
      });
    }
    this.#after(ms, () => {
      this.end();
    });
  }

  /** Clients may stay again. */
  end(): void {
    if (this.#timers.length === 0) return;
    this.#cancel();
    this.#endsAt = 0;
    this.streams.keep();
    this.log("info", "drained", { ...this.state });
  }

  #closeIdle(ms: number, share: number): void {
    const idle = this.connections.idleFor(ms);
    const chosen = idle.slice(0, Math.ceil(idle.length * share));
    // After what has arrived by now was read: a busy process may have left it lying.
    setImmediate(() => {
      for (const socket of chosen) {
        if (this.active && this.connections.isIdle(socket, ms)) socket.destroy();
      }
    });
  }

  #after(ms: number, act: () => void): void {
    this.#timers.push(setTimeout(act, ms).unref());
  }

  #cancel(): void {
    for (const timer of this.#timers.splice(0)) clearTimeout(timer);
  }
}
