import type { Client } from "./exchange";
import { http1Client } from "./http1";
import { http2Client } from "./http2";
import type { RequestClient } from "./options";
import type { Way } from "./way";

export type Clients = Record<RequestClient, Client>;

export function openClients(way: Way, connections: number): Clients {
  return {
    // Each connection is somebody new, whom no earlier handshake helps.
    short: http1Client(way, { keepAlive: false, maxCachedSessions: 0 }),
    "keep-alive": http1Client(way, { keepAlive: true, maxSockets: connections }),
    http2: http2Client(way, connections),
  };
}
