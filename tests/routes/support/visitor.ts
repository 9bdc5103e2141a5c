import { readFileSync } from "node:fs";
import type { IncomingHttpHeaders } from "node:http";
import { Agent, request } from "node:https";
import { poll } from "@bluegreen/release";
import type { Edge } from "../../../local/edge/edge";

/** What the edge answered, and which color of the app behind it. */
export interface Answer {
  status: number;
  /** Undefined where the edge itself has answered. */
  color: string | undefined;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface Crowd {
  failures: string[];
  requests: number;
  /**
   * Resolves once an answer of this color has come, to a request made after the call, and none of another for
   * a moment.
   */
  untilOnly(color: string): Promise<void>;
  stop(): Promise<void>;
}

/** Requests per second of a crowd: enough to notice a gap of some tens of milliseconds. */
const rate = 40;
/** It stops by itself: a test that dies must not leave it running. */
const maxRequests = rate * 1800;
/** So many answers in a row: at this rate half a second. */
const inARow = 20;

/** Somebody outside, who trusts the edge's authority and asks for the app's host. */
export class Visitor {
  private readonly kept = new Agent({ keepAlive: true, maxSockets: 16 });
  private readonly address: { host: string; port: number; servername: string; ca: Buffer };

  constructor(
    edge: Edge,
    private readonly host: string,
  ) {
    this.address = { host: "127.0.0.1", port: edge.port, servername: host, ca: readFileSync(edge.ca) };
  }

  /** @throws Error when there is no whole answer within ten seconds, or the certificate is another host's */
  ask(path: string, headers: Record<string, string> = {}, agent: Agent | false = this.kept): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const asked = request(
        { ...this.address, agent, path, headers: { host: this.host, ...headers }, timeout: 10_000 },
        (response) => {
          let body = "";
          response.setEncoding("utf8").on("data", (part: string) => (body += part));
          response.on("error", reject);
          response.on("end", () => {
            const color = response.headers["x-app-color"];
            resolve({
              status: response.statusCode ?? 0,
              color: typeof color === "string" ? color : undefined,
              headers: response.headers,
              body,
            });
          });
        },
      );
      asked.on("timeout", () => asked.destroy(new Error("no answer within 10 s")));
      asked.on("error", reject);
      asked.end();
    });
  }

  /** What the edge was told takes it a moment. */
  async askUntil(
    right: (answer: Answer) => boolean,
    path: string,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    let last: Answer | undefined;
    return poll(
      async () => {
        last = await this.ask(path, headers);
        return right(last) ? last : undefined;
      },
      { timeoutMs: 300_000, intervalMs: 50 },
    ).catch((error: unknown) => {
      throw new Error(`${path} is not answered as it should be; the last answer: ${JSON.stringify(last)}`, {
        cause: error,
      });
    });
  }

  /** How often each color answers. */
  async count(times: number): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    let left = times;
    const asking = Array.from({ length: 16 }, async () => {
      while (left-- > 0) {
        const { color = "none" } = await this.ask("/widget");
        counts[color] = (counts[color] ?? 0) + 1;
      }
    });
    await Promise.all(asking);
    return counts;
  }

  /** Many who keep asking, each time by a new connection. */
  crowd(): Crowd {
    let row = { color: "", answers: 0 };
    const crowd = { failures: [] as string[], requests: 0 };
    const timer = setInterval(() => {
      if (++crowd.requests > maxRequests) clearInterval(timer);
      void this.ask("/api/users/nobody", {}, false).then(
        ({ status, color = "none" }) => {
          if (status >= 500 || color === "none") crowd.failures.push(`HTTP ${status} by ${color}`);
          row = { color, answers: row.color === color ? row.answers + 1 : 1 };
        },
        (error: unknown) => crowd.failures.push(String(error)),
      );
    }, 1000 / rate);
    return Object.assign(crowd, {
      untilOnly: async (color: string) => {
        row = { color: "", answers: 0 };
        await poll(() => Promise.resolve(row.color === color && row.answers >= inARow ? true : undefined), {
          timeoutMs: 300_000,
          intervalMs: 10,
        });
      },
      stop: () => {
        clearInterval(timer);
        return Promise.resolve();
      },
    });
  }

  close(): void {
    this.kept.destroy();
  }
}
