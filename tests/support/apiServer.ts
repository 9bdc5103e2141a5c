import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { refusedText, type Trouble } from "../../local/testing/trouble";
import { KubeConfig } from "@bluegreen/release/kubernetes/client";
import { isAsTested } from "@bluegreen/release/kubernetes/patch";
import { keysOf, type JsonPatch } from "@bluegreen/release/kubernetes/jsonPointer";

type Plain = Record<string, unknown>;

export interface ApiServer {
  /** File that names it. */
  kubeconfig: string;
  server: Server;
  objects: Map<string, object>;
  /** Makes it what is given, and tells whoever watches that kind. */
  change(key: string, object: object): void;
  /** What it answers to everything; undefined: what it should. */
  trouble: Trouble | undefined;
  /** The same for one request, as "PATCH services/chatgpt-app-service". */
  meddle: ((request: string) => Trouble | undefined) | undefined;
  /** Told of each object that was changed by a request. */
  changed: ((key: string, object: object | undefined) => void) | undefined;
  /** Told of each request that was made to wait in vain, by its method and address. */
  late: ((request: string) => void) | undefined;
  close(): Promise<void>;
}

const slowMs = 600;

/**
 * Simulated: as much of an API server as reading, listing, writing and watching objects takes, with JSON
 * patches, merge patches and versions. A real one cannot be made to refuse or to hang at will; what it
 * does with these objects is tested on a real one.
 * @param context name of the one context of its kubeconfig
 */
export async function startApiServer(context = "test"): Promise<ApiServer> {
  const objects = new Map<string, object>();
  const watches = new Map<string, Set<ServerResponse>>();
  const folder = mkdtempSync(join(tmpdir(), "bg-api-"));
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const path = request.url ?? "";
      const [, kind, name] = /\/namespaces\/[^/]+\/(\w+)(?:\/([^/?]+))?/.exec(path) ?? [];
      const { searchParams } = new URL(path, "http://api");
      if (request.method === "GET" && searchParams.get("watch") === "true" && api.trouble === undefined) {
        const key = `${kind ?? ""}/${searchParams.get("fieldSelector")?.replace("metadata.name=", "") ?? ""}`;
        watches.set(key, (watches.get(key) ?? new Set()).add(response));
        response.writeHead(200, { "content-type": "application/json" });
        if (api.meddle?.(`WATCH ${key}`) === "dropped") return void response.end();
        if (objects.has(key)) response.write(eventOf("ADDED", objects.get(key)));
        return;
      }
      const text = Buffer.concat(chunks).toString("utf8");
      const asked = `${request.method ?? ""} ${kind ?? path}${name === undefined ? "" : `/${name}`}`;
      const act = () => {
        const { status, body, changed } = answerTo(objects, request, { path, kind, name, text });
        if (changed !== undefined) api.changed?.(changed, objects.get(changed));
        return { status, body };
      };
      const respond = ({ status, body }: { status: number; body: object }) => {
        if (!response.destroyed)
          response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
      };
      const trouble = api.trouble ?? api.meddle?.(asked);
      if (typeof trouble === "number") {
        respond({ status: trouble, body: { kind: "Status", message: refusedText } });
        return;
      }
      const tellLate = () =>
        api.late?.(`${request.method ?? ""} http://${request.headers.host ?? ""}${path}`);
      switch (trouble) {
        case "nothing":
          tellLate();
          return;
        case "lost":
          return void request.socket.destroy();
        case "dropped":
          act();
          return void request.socket.destroy();
        case "late":
          act();
          tellLate();
          return;
        case "slow":
          tellLate();
          return void setTimeout(() => {
            respond(act());
          }, slowMs);
        case undefined:
          respond(act());
          return;
      }
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [
      {
        name: `api-${context}`,
        server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        skipTLSVerify: true,
      },
    ],
    users: [{ name: `user-${context}` }],
    contexts: [{ name: context, cluster: `api-${context}`, user: `user-${context}` }],
    currentContext: context,
  });
  const kubeconfig = join(folder, "kubeconfig");
  writeFileSync(kubeconfig, config.exportConfig());
  const api: ApiServer = {
    kubeconfig,
    server,
    objects,
    change: (key, object) => {
      objects.set(key, object);
      for (const watch of watches.get(key) ?? []) watch.write(eventOf("MODIFIED", object));
    },
    trouble: undefined,
    meddle: undefined,
    changed: undefined,
    late: undefined,
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

interface Asked {
  path: string;
  kind: string | undefined;
  name: string | undefined;
  text: string;
}

interface Answered {
  status: number;
  body: object;
  /** Key of the object that was changed. */
  changed?: string;
}

function answerTo(
  objects: Map<string, object>,
  { method, headers }: IncomingMessage,
  { path, kind, name, text }: Asked,
): Answered {
  if (path.startsWith("/version")) return { status: 200, body: {} };
  if (kind === undefined) return { status: 404, body: {} };
  const sent = text === "" ? {} : (JSON.parse(text) as Plain);
  const keep = (key: string, object: Plain): Answered => {
    const version = String(Number(metadataOf(objects.get(key) ?? {})["resourceVersion"] ?? 0) + 1);
    const kept = { ...object, metadata: { ...metadataOf(object), resourceVersion: version } };
    objects.set(key, kept);
    return { status: method === "POST" ? 201 : 200, body: kept, changed: key };
  };
  if (method === "POST") {
    const key = `${kind}/${String(metadataOf(sent)["name"])}`;
    return objects.has(key) ? { status: 409, body: { message: "it is there already" } } : keep(key, sent);
  }
  if (name === undefined) return { status: 200, body: { items: listed(objects, kind, path) } };
  const key = `${kind}/${name}`;
  const found = objects.get(key) as Plain | undefined;
  if (found === undefined) return { status: 404, body: {} };
  switch (method) {
    case "PUT": {
      const wanted = metadataOf(sent)["resourceVersion"];
      return wanted !== undefined && wanted !== metadataOf(found)["resourceVersion"]
        ? { status: 409, body: { message: "the object has been modified" } }
        : keep(key, sent);
    }
    case "PATCH": {
      if (headers["content-type"] !== "application/json-patch+json") return keep(key, merged(found, sent));
      const patch = sent as unknown as JsonPatch;
      return isAsTested(found, patch)
        ? keep(key, patched(found, patch))
        : {
            status: 422,
            body: { message: "the server rejected our request due to an error in our request" },
          };
    }
    case "DELETE":
      objects.delete(key);
      return { status: 200, body: {}, changed: key };
    default:
      return { status: 200, body: found };
  }
}

function metadataOf(object: object): Plain {
  return "metadata" in object ? (object.metadata as Plain) : {};
}

/** By a label selector. */
function listed(objects: Map<string, object>, kind: string, path: string): object[] {
  const selector = new URL(path, "http://api").searchParams.get("labelSelector") ?? "";
  const wanted = selector === "" ? [] : selector.split(/,(?![^(]*\))/).map(requirement);
  return [...objects]
    .filter(([key]) => key.startsWith(`${kind}/`))
    .map(([, object]) => object)
    .filter((object) => {
      const labels = metadataOf(object)["labels"] as Plain | undefined;
      return wanted.every((isMet) => isMet(labels ?? {}));
    });
}

/** One of a label selector: key=value, key in (values), key or !key. */
function requirement(text: string): (labels: Plain) => boolean {
  const [, key = "", values] = /^(\S+) in \((.*)\)$/.exec(text) ?? [];
  if (values !== undefined) return (labels) => values.split(",").includes(String(labels[key]));
  const [label = "", value] = text.split("=");
  if (value !== undefined) return (labels) => labels[label] === value;
  return label.startsWith("!") ? (labels) => !(label.slice(1) in labels) : (labels) => label in labels;
}

function merged(found: Plain, sent: Plain): Plain {
  const changes = Object.entries(sent).map(([key, value]) => {
    const before = found[key];
    return [key, isPlain(value) ? merged(isPlain(before) ? before : {}, value) : value] as const;
  });
  return Object.fromEntries(
    Object.entries({ ...found, ...Object.fromEntries(changes) }).filter(([, value]) => value !== null),
  );
}

function isPlain(value: unknown): value is Plain {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function patched(found: Plain, patch: JsonPatch): Plain {
  const copy = structuredClone(found);
  for (const part of patch) {
    const keys = keysOf(part.path);
    const last = keys.pop() ?? "";
    const parent = keys.reduce<Plain>((at, key) => at[key] as Plain, copy);
    if (part.op === "remove") Reflect.deleteProperty(parent, last);
    else if (part.op !== "test") parent[last] = part.value;
  }
  return copy;
}

function eventOf(type: string, object: unknown): string {
  return `${JSON.stringify({ type, object })}\n`;
}

/** A Secret as the API server has it. */
export function secretOf(values: Record<string, string>): object {
  return {
    data: Object.fromEntries(
      Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString("base64")]),
    ),
  };
}
