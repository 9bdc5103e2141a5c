import type { Response } from "express";

export interface StreamEvent {
  id?: number;
  event?: string;
  data: unknown;
}

/** One server-sent event stream that is open. */
export interface EventStream {
  send(event: StreamEvent): void;
  /** Text that already is in the format of the protocol. */
  write(text: string): void;
}

interface OpenStream {
  end(reason: string): void;
  leaving: NodeJS.Timeout | undefined;
}

/** The open event streams: each of them ends with a hint when to come back, never by a cut connection. */
export class Streams {
  readonly #open = new Set<OpenStream>();
  #ended = false;
  /** When the last of them is to have left, while the pod drains. */
  #leaveBy: number | undefined;

  constructor(private readonly maxAgeSeconds: number) {}

  get size(): number {
    return this.#open.size;
  }

  open(response: Response): EventStream {
    response.writeHead(200, {
      "content-type": "text/event-stream",
      "cache-control": "no-store, no-transform",
      // nginx would otherwise hold events back until its buffer is full.
      "x-accel-buffering": "no",
      // It takes its connection along: on that one its client would come back to this very process.
      connection: "close",
    });
    response.write("retry: 1000\n\n");

    const stream: EventStream = {
      send: ({ id, event, data }) => {
        const lines = [`data: ${JSON.stringify(data)}\n\n`];
        if (event !== undefined) lines.unshift(`event: ${event}`);
        if (id !== undefined) lines.unshift(`id: ${id}`);
        stream.write(lines.join("\n"));
      },
      write: (text) => {
        // A client that does not read must not fill the memory: it misses events instead.
        if (!response.writableEnded && !response.writableNeedDrain) response.write(text);
      },
    };
    const end = (reason: string): void => {
      if (response.writableEnded) return;
      // Spread over a second, so that all clients of a pod do not come back in the same moment.
      const retry = 500 + Math.floor(Math.random() * 1000);
      response.end(`event: end\nretry: ${retry}\ndata: ${JSON.stringify({ reason })}\n\n`);
    };
    if (this.#ended || response.destroyed || response.req.method === "HEAD") {
      end("shutting_down");
      return stream;
    }
    const open: OpenStream = { end, leaving: undefined };
    this.#open.add(open);
    if (this.#leaveBy !== undefined) endBefore(this.#leaveBy, open);
    const age = setTimeout(end, this.maxAgeSeconds * 1000, "max_age");
    response.once("close", () => {
      clearTimeout(age);
      clearTimeout(open.leaving);
      this.#open.delete(open);
    });
    return stream;
  }

  /**
   * Ends them one after the other within a time, and those opened meanwhile with them; later ones at once.
   */
  endWithin(ms: number): void {
    this.#leaveBy = performance.now() + ms;
    for (const open of this.#open) endBefore(this.#leaveBy, open);
  }

  /** Takes that back for whoever has not left. */
  keep(): void {
    this.#leaveBy = undefined;
    for (const { leaving } of this.#open) clearTimeout(leaving);
  }

  /** Ends every open stream, and from now on each new one at once. */
  endAll(): void {
    this.#ended = true;
    for (const open of this.#open) open.end("shutting_down");
  }
}

function endBefore(time: number, open: OpenStream): void {
  clearTimeout(open.leaving);
  open.leaving = setTimeout(
    () => {
      open.end("draining");
    },
    Math.max(0, time - performance.now()) * Math.random(),
  );
}
