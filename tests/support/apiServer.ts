import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KubeConfig } from "@bluegreen/release/kubernetes/client";

interface Body {
  metadata: { name: string };
  data?: Record<string, string | null>;
}

export interface ApiServer {
  /** File that names it. */
  kubeconfig: string;
  objects: Map<string, object>;
  /** Makes it what is given, and tells whoever watches that kind. */
  change(key: string, object: object): void;
  /** What it answers to everything; undefined: what it should. "nothing": it takes the request, and no more. */
  trouble: number | "nothing" | undefined;
  close(): Promise<void>;
}

/**
 * As much of an API server as reading, writing and watching single objects takes. A real one cannot be made
 * to refuse or to hang at will; what it does with these objects is tested on a real one.
 */
export async function startApiServer(): Promise<ApiServer> {
  const objects = new Map<string, object>();
  const watches = new Map<string, Set<ServerResponse>>();
  const folder = mkdtempSync(join(tmpdir(), "bg-api-"));
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      if (api.trouble === "nothing") return;
      const respond = (status: number, body: object) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
      if (api.trouble !== undefined) return respond(api.trouble, { kind: "Status" });
      const path = request.url ?? "";
      const [, kind, name] = /\/namespaces\/[^/]+\/(\w+)(?:\/([^/?]+))?/.exec(path) ?? [];
      const sent = chunks.length === 0 ? undefined : (JSON.parse(Buffer.concat(chunks).toString("utf8")) as Body);
      if (path.startsWith("/version")) return respond(200, {});
      if (kind === undefined) return respond(404, {});
      if (request.method === "POST" && sent !== undefined) {
        objects.set(`${kind}/${sent.metadata.name}`, sent);
        return respond(201, sent);
      }
      const { searchParams } = new URL(path, "http://api");
      if (name === undefined && searchParams.get("watch") === "true") {
        const key = `${kind}/${searchParams.get("fieldSelector")?.replace("metadata.name=", "") ?? ""}`;
        watches.set(key, (watches.get(key) ?? new Set()).add(response));
        response.writeHead(200, { "content-type": "application/json" });
        if (objects.has(key)) response.write(eventOf("ADDED", objects.get(key)));
        return;
      }
      if (name === undefined) return respond(200, { items: [] });
      const found = objects.get(`${kind}/${name}`);
      if (found === undefined) return respond(404, {});
      if (request.method === "PATCH") {
        const data = { ...("data" in found ? (found.data as object) : {}), ...sent?.data };
        Object.assign(found, { data: Object.fromEntries(Object.entries(data).filter(([, value]) => value !== null)) });
      }
      return respond(200, found);
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: "api", server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, skipTLSVerify: true }],
    users: [{ name: "user" }],
    contexts: [{ name: "test", cluster: "api", user: "user" }],
    currentContext: "test",
  });
  const kubeconfig = join(folder, "kubeconfig");
  writeFileSync(kubeconfig, config.exportConfig());
  const api: ApiServer = {
    kubeconfig,
    objects,
    change: (key, object) => {
      objects.set(key, object);
      for (const watch of watches.get(key) ?? []) watch.write(eventOf("MODIFIED", object));
    },
    trouble: undefined,
    close: () =>
      new Promise((done) => {
        rmSync(folder, { recursive: true });
        server.close(() => {
          done();
        });
        server.closeAllConnections();
      }),
  };
  return api;
}

function eventOf(type: string, object: unknown): string {
  return `${JSON.stringify({ type, object })}\n`;
}

/** A Secret as the API server has it. */
export function secretOf(values: Record<string, string>): object {
  return { data: Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString("base64")])) };
}
