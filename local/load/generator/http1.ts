import type { AgentOptions } from "node:https";
import { colorOf, type Answer, type Client, type Question } from "./exchange";
import type { Way } from "./way";

export function http1Client(way: Way, options: AgentOptions): Client {
  const agent = way.agent(options);
  return {
    ask: async ({ method, path, content }: Question, signal: AbortSignal): Promise<Answer> =>
      new Promise((resolve, reject) => {
        const payload = content === undefined ? undefined : JSON.stringify(content);
        const headers = {
          host: way.host,
          accept: "application/json",
          ...(payload !== undefined && {
            "content-type": "application/json",
            "content-length": Buffer.byteLength(payload),
          }),
        };
        const outgoing = way.request(way.target + path, { method, agent, headers, signal }, (response) => {
          let body = "";
          response.setEncoding("utf8");
          response.on("data", (text: string) => (body += text));
          response.on("end", () => {
            resolve({ status: response.statusCode ?? 0, color: colorOf(response.headers), body });
          });
          response.on("error", reject);
        });
        outgoing.on("error", reject);
        outgoing.end(payload);
      }),
    close: () => {
      agent.destroy();
    },
  };
}
