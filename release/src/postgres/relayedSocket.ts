import { Socket } from "node:net";
import type { Destination } from "./route.js";

/** From the connection to the relay's answer. A relay answers before that: it waits for a server for less. */
const answerMs = 20_000;

/**
 * What pg takes as its connection to a server, and is one to a relay, which leads there. What pg does with it
 * from then on, TLS with the server's name first of all, is between pg and the server.
 */
export class RelayedSocket extends Socket {
  /** pg connects what it is given. This is connected already. */
  override connect(): this {
    process.nextTick(() => this.emit("connect"));
    return this;
  }

  /**
   * @param port of the relay, on this machine
   * @throws Error with the code of what kept the relay from getting there
   */
  async lead(port: number, { host, port: to }: Destination): Promise<void> {
    super.connect(port, "127.0.0.1");
    this.write(`${host} ${to}\n`);
    const answer = await this.readLine().catch((error: unknown) => {
      this.destroy();
      throw error;
    });
    if (answer === "ok") return;
    this.destroy();
    const [code = "", ...words] = answer.split(" ");
    throw coded(code, `${host}:${to}, asked from a pod: ${words.join(" ")}`);
  }

  private readLine(): Promise<string> {
    return new Promise((resolve, reject) => {
      let text = "";
      const stop = () => {
        this.setTimeout(0);
        this.off("readable", onReadable)
          .off("close", onClose)
          .off("error", onError)
          .off("timeout", onTimeout);
      };
      const onError = (error: Error) => {
        stop();
        reject(error);
      };
      const onReadable = () => {
        const part: unknown = this.read();
        if (Buffer.isBuffer(part)) text += part.toString("latin1");
        const end = text.indexOf("\n");
        if (end < 0) return;
        stop();
        resolve(text.slice(0, end));
      };
      const onClose = () => {
        onError(coded("ECONNRESET", "the relay in the cluster has closed the connection"));
      };
      const onTimeout = () => {
        onError(coded("ETIMEDOUT", `the relay in the cluster did not answer within ${answerMs / 1000} s`));
      };
      this.on("readable", onReadable).on("close", onClose).on("error", onError).on("timeout", onTimeout);
      this.setTimeout(answerMs);
    });
  }
}

function coded(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
