import { createHash } from "node:crypto";
import type { IncomingMessage, Server } from "node:http";
import { connect } from "node:net";
import type { Duplex } from "node:stream";

export interface PodTunnels {
  /** Names of the pods that a forward was asked for, in this order, given or not. */
  asked: string[];
  /** Those that are open, by their pods' names. */
  open: Map<Duplex, string>;
  /** Pods that nothing can be forwarded to. */
  refused: Set<string>;
}

/**
 * Makes a simulated API server forward to pods as a real one does: a WebSocket for each connection, whose
 * messages begin with the number of their stream.
 * @param port of this machine, which is that of every pod
 */
export function forwardToPods(server: Server, port: number): PodTunnels {
  const tunnels: PodTunnels = { asked: [], open: new Map(), refused: new Set() };
  server.on("upgrade", ({ url = "", headers }: IncomingMessage, socket: Duplex) => {
    const pod = /\/pods\/([^/]+)\/portforward/.exec(url)?.[1] ?? "";
    tunnels.asked.push(pod);
    socket.on("error", () => socket.destroy());
    if (tunnels.refused.has(pod)) {
      socket.destroy();
      return;
    }
    tunnels.open.set(socket, pod);
    const accept = createHash("sha1")
      .update(`${headers["sec-websocket-key"] ?? ""}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest("base64");
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: v4.channel.k8s.io\r\n\r\n`,
    );
    const send = (stream: number, data: Buffer) => socket.write(message(Buffer.from([stream, ...data])));
    // Of both its streams the port comes first.
    for (const stream of [0, 1]) send(stream, Buffer.from([port & 0xff, port >> 8]));
    const inPod = connect(port, "127.0.0.1");
    inPod.on("data", (data) => send(0, data));
    inPod.on("error", () => inPod.destroy());
    inPod.on("close", () => socket.destroy());
    socket.on("close", () => {
      tunnels.open.delete(socket);
      inPod.destroy();
    });
    let received = Buffer.alloc(0);
    socket.on("data", (data: Buffer) => {
      received = Buffer.concat([received, data]);
      for (let next = nextMessage(received); next !== undefined; next = nextMessage(received)) {
        received = received.subarray(next.bytes);
        if (next.isEnd) socket.end();
        else inPod.write(next.data.subarray(1));
      }
    });
  });
  return tunnels;
}

/** One frame, of data. */
function message(data: Buffer): Buffer {
  const head = Buffer.from([0x82, 126, 0, 0]);
  head.writeUInt16BE(data.length, 2);
  return Buffer.concat([head, data]);
}

/** The first frame, once it is whole: a client's are masked. */
function nextMessage(received: Buffer): { data: Buffer; bytes: number; isEnd: boolean } | undefined {
  if (received.length < 2) return undefined;
  const short = received.readUInt8(1) & 0x7f;
  const head = short === 126 ? 4 : 2;
  if (received.length < head + 4) return undefined;
  const length = short === 126 ? received.readUInt16BE(2) : short;
  const begin = head + 4;
  if (received.length < begin + length) return undefined;
  const mask = received.subarray(head, begin);
  const data = Buffer.from(
    received.subarray(begin, begin + length).map((byte, index) => byte ^ (mask[index % 4] ?? 0)),
  );
  return { data, bytes: begin + length, isEnd: (received.readUInt8(0) & 0x0f) === 8 };
}
