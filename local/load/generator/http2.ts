import { connect, type ClientHttp2Session } from "node:http2";
import { colorOf, type Answer, type Client, type Question } from "./exchange";
import type { Way } from "./way";

/**
 * Asks by a fixed number of connections in turn. One that the other side is ending takes no more requests:
 * another one comes in its place.
 */
export function http2Client(way: Way, connections: number): Client {
  const sessions: (ClientHttp2Session | undefined)[] = Array.from({ length: connections });
  let turn = 0;
  const session = (): ClientHttp2Session => {
    turn = (turn + 1) % connections;
    const open = sessions[turn];
    if (open !== undefined && !open.closed && !open.destroyed) return open;
    const made = connect(way.target, way.tls);
    // Each of its requests fails with it, and says so.
    made.on("error", () => undefined);
    sessions[turn] = made;
    return made;
  };
  return {
    ask: async ({ method, path, content }: Question, signal: AbortSignal): Promise<Answer> =>
      new Promise((resolve, reject) => {
        const payload = content === undefined ? undefined : JSON.stringify(content);
        const headers = {
          ":method": method,
          ":path": path,
          ":authority": way.host,
          accept: "application/json",
          ...(payload !== undefined && { "content-type": "application/json" }),
        };
        const stream = session().request(headers, { signal });
        let status = 0;
        let color = "";
        let body = "";
        stream.setEncoding("utf8");
        stream.on("response", (answered) => {
          status = answered[":status"] ?? 0;
          color = colorOf(answered);
        });
        stream.on("data", (text: string) => (body += text));
        stream.on("aborted", () => {
          reject(new Error("the answer was cut off"));
        });
        stream.on("error", reject);
        stream.on("close", () => {
          if (stream.rstCode === 0 && status !== 0) resolve({ status, color, body });
          else
            reject(new Error(`the stream was closed without a whole answer, code ${String(stream.rstCode)}`));
        });
        stream.end(payload);
      }),
    close: () => {
      for (const open of sessions) open?.destroy();
    },
  };
}
