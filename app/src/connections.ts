import type { RequestHandler, Response } from "express";
import type { Socket } from "node:net";
import { PROBE_PATHS } from "./health";

interface Connection {
  readonly since: number;
  /** Answers that have not ended. */
  readonly open: Set<Response>;
  /**
   * When its last answer ended, and how many bytes had come by then: more of them are a request on its way.
   */
  quietSince: number;
  bytesThen: number;
  /** Asked so far for nothing but what the cluster probes. */
  isProbe: boolean;
}

/** The server's connections, and which of them somebody uses now. */
export class Connections {
  readonly #open = new Map<Socket, Connection>();

  /** For the server's `connection` event. */
  readonly track = (socket: Socket): void => {
    const now = performance.now();
    this.#open.set(socket, { since: now, open: new Set(), quietSince: now, bytesThen: 0, isProbe: false });
    socket.once("close", () => this.#open.delete(socket));
  };

  readonly observe: RequestHandler = (request, response, next) => {
    const { socket } = request;
    const connection = this.#open.get(socket);
    if (connection !== undefined) {
      const isFirst = connection.bytesThen === 0;
      connection.isProbe = PROBE_PATHS.has(request.path) && (isFirst || connection.isProbe);
      connection.open.add(response);
      response.once("close", () => {
        connection.open.delete(response);
        connection.quietSince = performance.now();
        connection.bytesThen = socket.bytesRead;
      });
    }
    next();
  };

  /** Without those that only the cluster's probes have used. */
  get size(): number {
    return [...this.#open.values()].filter(({ isProbe }) => !isProbe).length;
  }

  /** How many answers have not ended, streams among them. */
  get answering(): number {
    return this.#responses().length;
  }

  ageMs(socket: Socket): number {
    return performance.now() - (this.#open.get(socket)?.since ?? 0);
  }

  /** Tells clients who wait for an answer that it is the last one on its connection. */
  announceEnd(): void {
    for (const response of this.#responses()) {
      if (!response.headersSent) response.set("connection", "close");
    }
  }

  /** Those on which nothing has happened for so long, and nothing of a request has arrived. */
  idleFor(ms: number): Socket[] {
    return [...this.#open.keys()].filter((socket) => this.isIdle(socket, ms));
  }

  isIdle(socket: Socket, ms: number): boolean {
    const connection = this.#open.get(socket);
    return (
      connection?.open.size === 0 &&
      socket.bytesRead === connection.bytesThen &&
      performance.now() - connection.quietSince >= ms
    );
  }

  /** Cuts those that wait for no answer, whatever has arrived on them. */
  closeUnanswered(): void {
    for (const [socket, { open }] of this.#open) {
      if (open.size === 0) socket.destroy();
    }
  }

  #responses(): Response[] {
    return [...this.#open.values()].flatMap(({ open }) => [...open]);
  }
}
