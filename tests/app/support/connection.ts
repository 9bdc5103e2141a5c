import { once } from "node:events";
import { Agent, request, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import type { Socket } from "node:net";
import type { App } from "./app";

export interface Answer {
  status: number;
  connection: string | undefined;
  body: string;
  /** True when the answer came on the connection of an earlier one. */
  reused: boolean;
}

/** One keep-alive connection, as a browser or a proxy holds it; `fetch` hides which one it uses. */
export class Connection {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  #socket: Socket | undefined;

  constructor(private readonly app: App) {}

  async get(path: string): Promise<Answer> {
    const sent = request({ agent: this.#agent, port: this.app.port, path });
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      sent.once("response", resolve).once("error", reject).end();
    });
    this.#socket = response.socket;
    return {
      status: response.statusCode ?? 0,
      connection: response.headers.connection,
      body: await text(response),
      reused: sent.reusedSocket,
    };
  }

  /** Resolves when the server has closed the connection. */
  async closed(): Promise<void> {
    const socket = this.#socket;
    if (socket === undefined) throw new Error("Nothing was sent on this connection yet");
    if (!socket.closed) await once(socket, "close");
  }
}
