import type { RequestHandler } from "express";
import { once } from "node:events";
import type { Server } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { Connections } from "./connections";
import type { Drain } from "./drain";
import type { Log } from "./log";
import type { Settings } from "./settings";
import type { Streams } from "./streams";

/** When connections end, and how the process does. */
export class Lifecycle {
  #stopping = false;

  constructor(
    private readonly settings: Settings,
    private readonly connections: Connections,
    private readonly streams: Streams,
    private readonly drain: Drain,
    private readonly log: Log,
  ) {}

  /** True from the first SIGTERM on. */
  get stopping(): boolean {
    return this.#stopping;
  }

  /**
   * Tells clients with their answer when a connection has come to its end; unlike a connection that
   * is closed while idle, this can never meet a request that is already on its way.
   */
  readonly leave: RequestHandler = (request, response, next) => {
    const expired = this.connections.ageMs(request.socket) > this.settings.CONNECTION_MAX_AGE_SECONDS * 1000;
    if (this.#stopping || this.drain.active || expired) response.set("connection", "close");
    next();
  };

  /**
   * Not ready at once, serving for the drain time, then finishing what is open.
   * @param release closes what the server used, after its last answer
   */
  async shutdown(server: Server, release: () => Promise<unknown>): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    const { DRAIN_SECONDS, SHUTDOWN_GRACE_SECONDS } = this.settings;
    this.log("info", "shutting down", { drainSeconds: DRAIN_SECONDS, graceSeconds: SHUTDOWN_GRACE_SECONDS });
    setTimeout(() => {
      this.log("error", "shutdown was forced: requests were still open after the grace time", {
        openRequests: this.connections.answering,
        graceSeconds: SHUTDOWN_GRACE_SECONDS,
      });
      process.exit(1);
    }, SHUTDOWN_GRACE_SECONDS * 1000).unref();

    this.connections.announceEnd();
    // Idle connections stay open until then: requests still arrive while the endpoint is being removed.
    await delay(DRAIN_SECONDS * 1000);
    this.streams.endAll();
    const closed = once(server, "close");
    server.close();
    // Node closes those that wait after an answer; one that never sent a request, as browsers
    // open in advance, would stay and hold up the end.
    this.connections.closeUnanswered();
    // An answer that is half sent to a slow reader promised to keep its connection: not for 65 s now.
    server.keepAliveTimeout = 1;
    await closed;
    await release();
    this.log("info", "stopped");
    process.exit(0);
  }
}
