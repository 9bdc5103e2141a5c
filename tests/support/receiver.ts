import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
  /** By the receiver's clock, in milliseconds. */
  at: number;
}

/** A status, or what to do with a request. */
export type Answer = number | ((response: ServerResponse, request: IncomingMessage) => void);

export interface HttpReceiver {
  /** Base URL, without a path. */
  url: string;
  received: Received[];
  /** What the next requests get, one after the other; the last one is for all others, too. */
  answer(...answers: [Answer, ...Answer[]]): void;
  close(): Promise<void>;
}

/**
 * Whoever is told something by HTTP, on this machine: keeps what it got, and answers 200 unless it is told
 * otherwise.
 */
export async function startReceiver(): Promise<HttpReceiver> {
  const received: Received[] = [];
  let pending: Answer[] = [200];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      received.push({
        path: request.url ?? "",
        headers: request.headers,
        body: Buffer.concat(chunks).toString("utf8"),
        at: Date.now(),
      });
      const answer = (pending.length > 1 ? pending.shift() : pending[0]) ?? 200;
      if (typeof answer === "number") response.writeHead(answer).end();
      else answer(response, request);
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    answer: (...answers) => {
      pending = answers;
    },
    close: () =>
      new Promise((done) => {
        server.close(() => {
          done();
        });
        server.closeAllConnections();
      }),
  };
}
