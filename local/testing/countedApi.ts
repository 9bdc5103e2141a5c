import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Agent, request } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KubeConfig } from "@bluegreen/release/kubernetes/client";
import { describeRequest } from "./apiRequest";
import { refusedText, type Trouble } from "./trouble";

/** Requests by what they ask for: "list pods", "create pods/portforward". */
export type RequestCounts = Record<string, number>;

/**
 * A way to the API server that counts what goes along it, for whoever uses this kubeconfig and for no one
 * else.
 */
export interface CountedApi {
  kubeconfig: string;
  /** What was asked since this was called last. */
  take(): RequestCounts;
  /** What becomes of a request on the way, or of its answer, as "patch services". */
  meddle: ((asked: string) => Extract<Trouble, number | "dropped" | "late"> | undefined) | undefined;
  close(): Promise<void>;
}

/** A proxy on loopback, without TLS and with the credentials of the kubeconfig that it stands before. */
export async function countRequests(kubeconfig: string): Promise<CountedApi> {
  const target = targetOf(kubeconfig);
  let counts: RequestCounts = {};
  const open = new Set<Socket>();
  const pass = (incoming: IncomingMessage, asked = describeRequest(incoming)) => {
    counts[asked] = (counts[asked] ?? 0) + 1;
    return request({
      ...target,
      method: incoming.method,
      path: incoming.url,
      headers: { ...incoming.headers, host: `${target.host}:${target.port}` },
    });
  };
  const server = createServer((incoming, response) => {
    const asked = describeRequest(incoming);
    const trouble = counted.meddle?.(asked);
    if (typeof trouble === "number") {
      incoming.resume();
      refuse(response, trouble);
      return;
    }
    const onward = pass(incoming, asked);
    onward.on("response", (answer) => {
      if (trouble === undefined) {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
        return;
      }
      // It is done by then.
      answer.resume();
      if (trouble === "dropped") incoming.socket.destroy();
    });
    onward.on("error", () => response.destroy());
    response.on("close", () => onward.destroy());
    incoming.pipe(onward);
  });
  // Port forwards and what else becomes another protocol.
  server.on("upgrade", (incoming: IncomingMessage, client: Socket, head: Buffer) => {
    const onward = pass(incoming);
    onward.on("upgrade", (answer, upstream, rest) => {
      const lines = answer.rawHeaders.flatMap((name, index, all) =>
        index % 2 === 0 ? [`${name}: ${all[index + 1] ?? ""}`] : [],
      );
      client.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join("\r\n")}\r\n\r\n`);
      client.write(rest);
      upstream.write(head);
      for (const [socket, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        socket.on("error", () => other.destroy());
        socket.on("close", () => other.destroy());
        socket.pipe(other);
      }
    });
    onward.on("response", (answer) => {
      client.end(`HTTP/1.1 ${answer.statusCode ?? 502} refused\r\ncontent-length: 0\r\n\r\n`);
      answer.resume();
    });
    onward.on("error", () => client.destroy());
    onward.end();
  });
  server.on("connection", (socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const folder = await mkdtemp(join(tmpdir(), "bg-counted-"));
  const counted: CountedApi = {
    kubeconfig: await writeCounted(kubeconfig, folder, (server.address() as AddressInfo).port),
    meddle: undefined,
    take: () => {
      const taken = counts;
      counts = {};
      return taken;
    },
    close: async () => {
      for (const socket of open) socket.destroy();
      await new Promise<void>((closed) => {
        server.close(() => {
          closed();
        });
      });
      target.agent.destroy();
      await rm(folder, { recursive: true });
    },
  };
  return counted;
}

function refuse(response: ServerResponse, status: number): void {
  const body = { kind: "Status", apiVersion: "v1", status: "Failure", message: refusedText, code: status };
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

/** How many of these were counted. */
export function total(counts: RequestCounts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function targetOf(file: string) {
  const config = new KubeConfig();
  config.loadFromFile(file);
  const [cluster, user] = [config.getCurrentCluster(), config.getCurrentUser()];
  const { hostname: host, port } = new URL(cluster?.server ?? "");
  const decode = (data: string | undefined) => Buffer.from(data ?? "", "base64");
  // Connections stay: the proxy is not to be what takes the time.
  return {
    host,
    port,
    ca: decode(cluster?.caData),
    cert: decode(user?.certData),
    key: decode(user?.keyData),
    agent: new Agent({ keepAlive: true }),
  };
}

/** The same context, and no credentials in it. */
async function writeCounted(kubeconfig: string, folder: string, port: number): Promise<string> {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const [name, user] = [config.currentContext, "counted"];
  const counted = new KubeConfig();
  counted.loadFromOptions({
    clusters: [{ name, server: `http://127.0.0.1:${port}`, skipTLSVerify: true }],
    users: [{ name: user }],
    contexts: [{ name, cluster: name, user }],
    currentContext: name,
  });
  const file = join(folder, "kubeconfig");
  await writeFile(file, counted.exportConfig(), { mode: 0o600 });
  return file;
}
