import type { Socket } from "node:net";
import type { Destination } from "../postgres/route.js";

export interface ProgramOptions {
  /** Where it listens, on the pod's loopback alone. 0: on a free port. */
  port: number;
  /** Where it forwards to, and nowhere else. */
  destinations: Destination[];
  /** It ends when no connection has been open for so long, in milliseconds: whoever has made it may be dead. */
  idleMs: number;
  /** Within which a connection has to say where it goes, and a server has to answer, in milliseconds. */
  patienceMs: number;
}

/** What it says first, with its port. */
export const listens = "the relay listens on port";

/** The program for `node -e`. */
export function programText(options: ProgramOptions): string {
  return `(${relay.toString()})(${JSON.stringify({ ...options, listens })})`;
}

/**
 * A relay: each connection says in its first line where it goes, HOST PORT, is answered ok or CODE REASON, and is
 * one to that server from then on. It runs as text, in a process of its own: it uses nothing from around it.
 */
function relay({
  port,
  destinations,
  idleMs,
  patienceMs,
  listens: first,
}: ProgramOptions & { listens: string }): void {
  const { connect, createServer } = process.getBuiltinModule("node:net");
  const longest = 300;
  let open = 0;
  const end = () => process.exit(0);
  let idle = setTimeout(end, idleMs);

  const sayLast = (client: Socket, line: string) => {
    client.setTimeout(patienceMs, () => client.destroy());
    client.end(`${line}\n`);
  };
  const forward = (client: Socket, line: string, rest: Buffer) => {
    const to = destinations.find((each) => `${each.host} ${each.port}` === line);
    if (to === undefined) {
      sayLast(client, "EACCES this relay does not forward there");
      return;
    }
    const server = connect({ host: to.host, port: to.port, allowHalfOpen: true });
    const refuse = (code: string, reason: string) => {
      server.destroy();
      sayLast(client, `${code} ${reason}`);
    };
    const onError = (error: NodeJS.ErrnoException) => {
      refuse(error.code ?? "EIO", error.message || `connect ${error.code ?? "EIO"}`);
    };
    const onTimeout = () => {
      refuse("ETIMEDOUT", `no answer within ${patienceMs / 1000} s`);
    };
    server.setTimeout(patienceMs, onTimeout);
    server.on("error", onError);
    client.once("close", () => server.destroy());
    server.once("connect", () => {
      server.off("error", onError).off("timeout", onTimeout).setTimeout(0);
      server.on("error", () => client.destroy());
      server.setNoDelay(true).setKeepAlive(true, 30_000);
      client.write("ok\n");
      server.write(rest);
      client.pipe(server);
      server.pipe(client);
    });
  };

  const listener = createServer({ allowHalfOpen: true }, (client) => {
    open++;
    clearTimeout(idle);
    client.once("close", () => {
      open--;
      if (open === 0) idle = setTimeout(end, idleMs);
    });
    client.on("error", () => client.destroy());
    client.setNoDelay(true);
    const onLate = () => client.destroy();
    client.setTimeout(patienceMs, onLate);
    let said = Buffer.alloc(0);
    const onData = (part: Buffer) => {
      said = Buffer.concat([said, part]);
      const lineEnd = said.indexOf("\n");
      if (lineEnd < 0 && said.length <= longest) return;
      client.off("data", onData).off("timeout", onLate).setTimeout(0);
      client.pause();
      if (lineEnd < 0) client.destroy();
      else forward(client, said.toString("utf8", 0, lineEnd), said.subarray(lineEnd + 1));
    };
    client.on("data", onData);
    client.once("end", () => {
      // One that has not said where it goes.
      if (client.listeners("data").includes(onData)) client.destroy();
    });
  });
  listener.listen(port, "127.0.0.1", () => {
    const at = listener.address();
    console.log(`${first} ${at !== null && typeof at === "object" ? at.port : port}`);
  });
  process.once("SIGTERM", end);
}
