import { readFileSync } from "node:fs";
import type { IncomingHttpHeaders } from "node:http";
import { Agent, request } from "node:https";
import { poll } from "@bluegreen/release";
import type { Edge } from "../../../local/edge/edge";

/** What a user of the edge gets: the edge's status and headers, and what the pod says that it got. */
export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** Undefined where the edge itself has answered. */
  color: string | undefined;
  arrived: { url: string; headers: Record<string, string> };
}

/** Somebody outside who trusts the edge's authority and asks for one host. */
export class User {
  private readonly agent: Agent;
  private readonly address: { host: string; port: number; servername: string; ca: Buffer };

  constructor(
    edge: Edge,
    private readonly host: string,
  ) {
    this.agent = new Agent({ keepAlive: true });
    this.address = { host: "127.0.0.1", port: edge.port, servername: host, ca: readFileSync(edge.ca) };
  }

  /** @throws Error when the connection fails, or the certificate is not the host's */
  ask(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const asked = request(
        { ...this.address, agent: this.agent, path, headers: { host: this.host, ...headers }, timeout: 5000 },
        (response) => {
          let text = "";
          response.setEncoding("utf8");
          response.on("data", (part: string) => (text += part));
          response.on("error", reject);
          response.on("end", () => {
            const said =
              response.headers["content-type"] === "application/json"
                ? (JSON.parse(text) as Answer["arrived"] & { color: string })
                : { color: undefined, url: "", headers: {} };
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              color: said.color,
              arrived: { url: said.url, headers: said.headers },
            });
          });
        },
      );
      asked.on("timeout", () => asked.destroy(new Error("no answer within 5 s")));
      asked.on("error", reject);
      asked.end();
    });
  }

  /** Asks until the answer is right: what was applied takes the edge a moment. */
  async askUntil(
    right: (answer: Answer) => boolean,
    path: string,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    let last: Answer | undefined;
    try {
      return await poll(
        async () => {
          last = await this.ask(path, headers);
          return right(last) ? last : undefined;
        },
        { timeoutMs: 300_000, intervalMs: 50 },
      );
    } catch (error) {
      throw new Error(`${path} is not answered as it should be; the last answer: ${JSON.stringify(last)}`, {
        cause: error,
      });
    }
  }

  /** How often each color answers, in order of asking. */
  async count(times: number, path: string): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (let asked = 0; asked < times; asked += 1) {
      const { color = "none" } = await this.ask(path);
      counts[color] = (counts[color] ?? 0) + 1;
    }
    return counts;
  }

  close(): void {
    this.agent.destroy();
  }
}
