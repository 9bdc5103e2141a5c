/** One cluster, reached through the official client with a kubeconfig given as path, contents or by the environment. */
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import type { KubeConfig } from "@kubernetes/client-node";
import { EngineError, messageOf } from "../errors";
import { type Json, parseJson } from "../wire";
import { digText, isObject, type JsonObject, type ObjectReference } from "./objects";
import { type ApplyOptions, type Library, type RawObjectApi, rawObjectApi } from "./rawObjectApi";

export interface ClusterOptions {
  /** Path or contents. */
  kubeconfig: string | undefined;
  context: string | undefined;
  env: Readonly<Record<string, string | undefined>>;
}

/** What the API server answered when it refused something. */
export class ClusterError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly reason: string,
  ) {
    super(message);
  }
}

/** No answer at all. */
export class UnreachableError extends Error {}

const NETWORK_CODES = new Set(["ECONNREFUSED", "ECONNRESET", "ENOTFOUND", "EHOSTUNREACH", "ETIMEDOUT", "EPIPE", "EAI_AGAIN"]);

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

function load(library: Library, options: ClusterOptions): KubeConfig {
  const config = new library.KubeConfig();
  const text = options.kubeconfig;
  if (text !== undefined && text !== "") {
    // Contents have a line break or are JSON; anything else is a path.
    if (text.includes("\n") || text.trimStart().startsWith("{")) config.loadFromString(text);
    else config.loadFromString(readFileSync(text.replace(/^~(?=\/)/, homedir()), "utf8"));
  } else {
    const named = (options.env["KUBECONFIG"] ?? "").split(delimiter).filter((path) => path !== "");
    const paths = named.length > 0 ? named : [join(homedir(), ".kube", "config")].filter((path) => existsSync(path));
    const [first, ...others] = paths;
    if (first === undefined) config.loadFromCluster();
    else config.loadFromFile(first);
    for (const path of others) {
      const other = new library.KubeConfig();
      other.loadFromFile(path);
      config.mergeConfig(other, true);
    }
  }
  if (options.context !== undefined && options.context !== "") {
    if (!config.getContextObject(options.context)) {
      const known = config.getContexts().map((context) => context.name).join(", ");
      throw new EngineError(`Kubernetes context '${options.context}' is not in the kubeconfig (it has: ${known || "none"}); correct kubernetes:context or the provider's context`);
    }
    config.setCurrentContext(options.context);
  }
  if (!config.getCurrentCluster()) {
    throw new EngineError("no Kubernetes cluster: set KUBECONFIG, kubernetes:kubeconfig, or the provider's kubeconfig to a file that names one");
  }
  return config;
}

export class Cluster {
  private constructor(
    private readonly api: RawObjectApi,
    private readonly library: Library,
    readonly defaultNamespace: string | undefined,
  ) {}

  /** The client is loaded here and not before: it takes half a second. */
  static async connect(options: ClusterOptions): Promise<Cluster> {
    const library = await import("@kubernetes/client-node");
    const config = load(library, options);
    const namespace = config.getContextObject(config.getCurrentContext())?.namespace;
    return new Cluster(config.makeApiClient(rawObjectApi(library)), library, namespace);
  }

  /** Undefined: there is no such object. */
  async read(reference: ObjectReference): Promise<JsonObject | undefined> {
    try {
      return await this.object(this.api.readObject(reference));
    } catch (error) {
      if (error instanceof ClusterError && error.status === 404) return undefined;
      throw error;
    }
  }

  apply(reference: ObjectReference, object: JsonObject, options: ApplyOptions): Promise<JsonObject> {
    return this.object(this.api.applyObject(reference, object, options));
  }

  async delete(reference: ObjectReference): Promise<void> {
    try {
      await this.answered(this.api.deleteObject(reference));
    } catch (error) {
      if (!(error instanceof ClusterError && error.status === 404)) throw error;
    }
  }

  async list(apiVersion: string, kind: string, namespace: string | undefined, labelSelector: string): Promise<JsonObject[]> {
    const list = await this.object(this.api.listObjects(apiVersion, kind, namespace, labelSelector));
    const items = list["items"];
    return Array.isArray(items) ? items.filter(isObject) : [];
  }

  isNamespaced(apiVersion: string, kind: string): Promise<boolean | undefined> {
    return this.answered(this.api.isNamespaced(apiVersion, kind));
  }

  private async object(answer: Promise<unknown>): Promise<JsonObject> {
    const json = (await this.answered(answer)) as Json;
    if (!isObject(json)) throw new ClusterError("the API server's answer is not an object", 0, "");
    return json;
  }

  private async answered<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      if (error instanceof this.library.ApiException) throw refusal(error.code, String(error.body));
      const code = codeOf(error);
      if (code !== undefined && NETWORK_CODES.has(code)) {
        throw new UnreachableError(`the Kubernetes API server cannot be reached: ${messageOf(error)}`);
      }
      throw error;
    }
  }
}

function refusal(status: number, body: string): ClusterError {
  let json: Json = null;
  try {
    json = parseJson(body);
  } catch {
    // not every proxy answers in JSON
  }
  return new ClusterError(digText(json, "message") ?? `HTTP ${status}: ${body.slice(0, 500)}`, status, digText(json, "reason") ?? "");
}

