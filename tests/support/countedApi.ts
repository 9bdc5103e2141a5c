import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KubeConfig } from "@bluegreen/release/kubernetes/client";
import { describeRequest } from "./apiRequest";

/** Requests by what they ask for: "list pods", "create pods/portforward". */
export type RequestCounts = Record<string, number>;

/** A way to the API server that counts what goes along it, for whoever uses this kubeconfig and for no one else. */
export interface CountedApi {
  kubeconfig: string;
  /** What was asked since this was called last. */
  take(): RequestCounts;
  close(): Promise<void>;
}

/** A proxy on loopback, without TLS and with the credentials of the kubeconfig that it stands before. */
export async function countRequests(kubeconfig: string): Promise<CountedApi> {
  const target = targetOf(kubeconfig);
  let counts: RequestCounts = {};
  const open = new Set<Socket>();
  const pass = (incoming: IncomingMessage) => {
    const asked = describeRequest(incoming);
    counts[asked] = (counts[asked] ?? 0) + 1;
    return request({ ...target, method: incoming.method, path: incoming.url, headers: { ...incoming.headers, host: `${target.host}:${target.port}` } });
  };
  const server = createServer((incoming, response) => {
    const onward = pass(incoming);
    onward.on("response", (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    response.on("close", () => onward.destroy());
    incoming.pipe(onward);
  });
  // Port forwards and what else becomes another protocol.
  server.on("upgrade", (incoming: IncomingMessage, client: Socket, head: Buffer) => {
    const onward = pass(incoming);
    onward.on("upgrade", (answer, upstream, rest) => {
      const lines = answer.rawHeaders.flatMap((name, index, all) => (index % 2 === 0 ? [`${name}: ${all[index + 1] ?? ""}`] : []));
      client.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join("\r\n")}\r\n\r\n`);
      client.write(rest);
      upstream.write(head);
      for (const [socket, other] of [[client, upstream], [upstream, client]] as const) {
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
  const counted = await writeCounted(kubeconfig, folder, (server.address() as AddressInfo).port);
  return {
    kubeconfig: counted,
    take: () => {
      const taken = counts;
      counts = {};
      return taken;
    },
    close: async () => {
      for (const socket of open) socket.destroy();
      await new Promise<void>((closed) => { server.close(() => { closed(); }); });
      target.agent.destroy();
      await rm(folder, { recursive: true });
    },
  };
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
  return { host, port, ca: decode(cluster?.caData), cert: decode(user?.certData), key: decode(user?.keyData), agent: new Agent({ keepAlive: true }) };
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
