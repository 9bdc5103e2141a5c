import type { RequestHandler, Response } from "express";
import { once } from "node:events";
import type { Server } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "./log";
import type { Settings } from "./settings";
import type { Streams } from "./streams";

/** When connections end, and how the process does. */
export class Lifecycle {
  #draining = false;
  readonly #responses = new Set<Response>();
  /** When each open connection began. */
  readonly #connections = new Map<Socket, number>();

  constructor(
    private readonly settings: Settings,
    private readonly streams: Streams,
    private readonly log: Log,
  ) {}

  /** True from the first SIGTERM on. */
  get draining(): boolean {
    return this.#draining;
  }

  /** For the server's `connection` event. */
  readonly track = (socket: Socket): void => {
    this.#connections.set(socket, performance.now());
    socket.once("close", () => this.#connections.delete(socket));
  };

  /**
   * Tells clients with their answer when a connection has come to its end; unlike a connection that
   * is closed while idle, this can never meet a request that is already on its way.
   */
  readonly connections: RequestHandler = (request, response, next) => {
    const began = this.#connections.get(request.socket) ?? 0;
    const expired = performance.now() - began > this.settings.CONNECTION_MAX_AGE_SECONDS * 1000;
    if (this.#draining || expired) response.set("connection", "close");
    this.#responses.add(response);
    response.once("close", () => this.#responses.delete(response));
    next();
  };

  /**
   * Not ready at once, serving for the drain time, then finishing what is open.
   * @param release closes what the server used, after its last answer
   */
  async shutdown(server: Server, release: () => Promise<unknown>): Promise<void> {
    if (this.#draining) return;
    this.#draining = true;
    const { DRAIN_SECONDS, SHUTDOWN_GRACE_SECONDS } = this.settings;
    this.log("info", "shutting down", { drainSeconds: DRAIN_SECONDS, graceSeconds: SHUTDOWN_GRACE_SECONDS });
    setTimeout(() => {
      this.log("error", "shutdown was forced: requests were still open after the grace time", {
        openRequests: this.#responses.size,
        graceSeconds: SHUTDOWN_GRACE_SECONDS,
      });
      process.exit(1);
    }, SHUTDOWN_GRACE_SECONDS * 1000).unref();

    for (const response of this.#responses) {
      if (!response.headersSent) response.set("connection", "close");
    }
    // Idle connections stay open until then: requests still arrive while the endpoint is being removed.
    await delay(DRAIN_SECONDS * 1000);
    this.streams.endAll();
    const closed = once(server, "close");
    server.close();
    // Node closes those that wait after an answer; one that never sent a request, as browsers
    // open in advance, would stay and hold up the end.
    const answering = new Set([...this.#responses].map((response) => response.socket));
    for (const socket of this.#connections.keys()) {
      if (!answering.has(socket)) socket.destroy();
    }
    // An answer that is half sent to a slow reader promised to keep its connection: not for 65 s now.
    server.keepAliveTimeout = 1;
    await closed;
    await release();
    this.log("info", "stopped");
    process.exit(0);
  }
}
