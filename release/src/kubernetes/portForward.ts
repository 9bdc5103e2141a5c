import { createServer, type AddressInfo, type Socket } from "node:net";
import { PortForward } from "./client.js";
import type { Cluster } from "./cluster.js";
import type { NamespacedName } from "../app/color.js";

/** Longer than any answer that is waited for here, smoke tests of streams included. */
const idleMs = 300_000;

export interface Forwarded {
  /** Base URL on this machine, for example http://127.0.0.1:40123. */
  url: string;
  close(): void;
}

/** Proxies and load balancers in front of an API server end what says nothing for a minute or more. */
const pingMs = 20_000;

/**
 * Makes one pod's port reachable on a free loopback port.
 * Every connection gets a stream of its own, as kubectl port-forward does.
 * @param lasting for connections that may say nothing for hours: they are kept alive, and end with their streams
 */
export async function forwardPod(
  cluster: Cluster,
  { namespace, name }: NamespacedName,
  port: number,
  { lasting = false }: { lasting?: boolean } = {},
): Promise<Forwarded> {
  const forward = new PortForward(cluster.config);
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    // A client that goes away mid-answer is its own affair; without a listener it would end this process.
    socket.on("error", () => socket.destroy());
    if (!lasting) socket.setTimeout(idleMs, () => socket.destroy());
    forward
      // The library puts them into a path as they are, and the name may come from an EndpointSlice, where any
      // text can stand: another path could run a command in another pod.
      .portForward(encodeURIComponent(namespace), encodeURIComponent(name), [port], socket, null, socket)
      .then((stream: unknown) => {
        // Left open it would keep this process alive for minutes.
        const end = () => {
          if (isClosable(stream)) stream.close();
        };
        if (socket.destroyed) end();
        else socket.once("close", end);
        if (lasting && isPinged(stream)) keepAlive(stream, socket);
      })
      .catch(() => socket.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () => {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

/** As long as the other side answers; the client library tells nobody when it does not, or ends the stream. */
function keepAlive(stream: Pinged, socket: Socket): void {
  let isAnswered = true;
  const timer = setInterval(() => {
    if (!isAnswered) socket.destroy();
    isAnswered = false;
    stream.ping();
  }, pingMs);
  stream.on("pong", () => {
    isAnswered = true;
  });
  stream.on("close", () => socket.destroy());
  socket.once("close", () => {
    clearInterval(timer);
  });
}

interface Pinged {
  ping(): void;
  on(event: "pong" | "close", listener: () => void): unknown;
}

function isPinged(stream: unknown): stream is Pinged {
  return (
    typeof stream === "object" &&
    stream !== null &&
    "ping" in stream &&
    typeof stream.ping === "function" &&
    "on" in stream &&
    typeof stream.on === "function"
  );
}

/** A WebSocket, whose type the client library does not bring along. */
function isClosable(stream: unknown): stream is { close(): void } {
  return (
    typeof stream === "object" && stream !== null && "close" in stream && typeof stream.close === "function"
  );
}
