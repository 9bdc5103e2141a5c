import { spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { statSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { ColorNamespaces } from "../app/color.js";
import { passes, UnansweredError } from "../util/mayPass.js";
import { messageOf, UserError } from "../util/userError.js";
import { forgetReads, readOnce } from "./sharedReads.js";
import {
  AppsV1Api,
  AutoscalingV2Api,
  BatchV1Api,
  CoordinationV1Api,
  CoreV1Api,
  DiscoveryV1Api,
  KubeConfig,
  createConfiguration,
  HttpMethod,
  ResponseContext,
  ServerConfiguration,
  wrapHttpLibrary,
  type ApiConstructor,
  type ApiType,
  type RequestContext,
} from "./client.js";

/** Where a release happens: a context of the kubeconfig, and the namespaces of an app in it. */
export type ClusterRef = ColorNamespaces & {
  /**
   * Context name; empty means the kubeconfig's current context. The kubeconfig is found as kubectl finds it
   * (KUBECONFIG, ~/.kube/config, in-cluster).
   */
  context: string;
};

export interface Cluster extends ColorNamespaces {
  config: KubeConfig;
  core: CoreV1Api;
  apps: AppsV1Api;
  autoscaling: AutoscalingV2Api;
  batch: BatchV1Api;
  discovery: DiscoveryV1Api;
  coordination: CoordinationV1Api;
}

/** What this process remembers an app by: an update may be of several clusters. */
export function appKey({ config, namespace }: Cluster, app: string): string {
  return [config.currentContext, namespace, app].join("/");
}

/**
 * How the client library calls what it makes up where it finds no kubeconfig: an API server on this machine
 * without TLS.
 */
const madeUpContext = "loaded-context";

/** @throws UserError when there is none, or it cannot be read */
export function loadKubeConfig(): KubeConfig {
  const refuse = (rule: string, cause?: unknown) =>
    new UserError(
      {
        code: "BG-KUBECONFIG-MISSING",
        what: "No Kubernetes cluster was asked",
        rule,
        next: "export KUBECONFIG=…, or kubectl config use-context NAME",
      },
      { cause },
    );
  const config = new BoundedKubeConfig();
  try {
    config.loadFromDefault();
  } catch (error) {
    throw refuse(`the kubeconfig cannot be read: ${messageOf(error)}`, error);
  }
  if (config.currentContext === madeUpContext)
    throw refuse("there is no kubeconfig: neither KUBECONFIG nor ~/.kube/config names one");
  return config;
}

/** By context: all steps of an update share its connections, and the token that a login command brought. */
const loaded = new Map<string, { files: string; config: KubeConfig }>();

/** The kubeconfig, with a context chosen in it; read again when one of its files has changed. */
function configFor(context: string): KubeConfig {
  const paths = process.env["KUBECONFIG"] ?? join(homedir(), ".kube", "config");
  const files = JSON.stringify([
    paths,
    paths.split(delimiter).map((path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs),
  ]);
  const known = loaded.get(context);
  if (known?.files === files) return known.config;
  const config = loadKubeConfig();
  chooseContext(config, context);
  loaded.set(context, { files, config });
  return config;
}

/** @throws UserError when the context does not exist */
function chooseContext(config: KubeConfig, context: string): void {
  if (context !== "") {
    const known = config.getContexts().map(({ name }) => name);
    if (!known.includes(context)) {
      throw new UserError({
        code: "BG-CONTEXT-UNKNOWN",
        what: `Kubernetes context "${context}" was refused`,
        rule: `the kubeconfig knows ${known.length > 0 ? known.join(", ") : "no context"}`,
        next: "kubectl config get-contexts, then pulumi config set context NAME",
      });
    }
    config.setCurrentContext(context);
  }
}

/** @throws UserError when there is no kubeconfig, or the context does not exist */
export function connect({ context, namespace, namespacePerColor }: ClusterRef): Cluster {
  const config = configFor(context);
  return {
    namespace,
    namespacePerColor,
    config,
    core: config.makeApiClient(CoreV1Api),
    apps: config.makeApiClient(AppsV1Api),
    autoscaling: config.makeApiClient(AutoscalingV2Api),
    batch: config.makeApiClient(BatchV1Api),
    discovery: config.makeApiClient(DiscoveryV1Api),
    coordination: config.makeApiClient(CoordinationV1Api),
  };
}

/** From the request to the last byte of the answer: a list of 10,000 pods takes seconds. */
const answerMs = 15_000;

interface Patience {
  /** When a call has to have ended. */
  of: (request: RequestContext) => AbortSignal;
  /** How long the login command of a kubeconfig may take, in milliseconds: some wait for a person. */
  loginMs: number;
  /** How long a patch is tried, in milliseconds: an API server that restarts is back by then. */
  patchMs: number;
}

/** What every call of the API server is held to. A test has a clock of its own. */
export const patience: Patience = {
  of: () => AbortSignal.timeout(answerMs),
  loginMs: 60_000,
  patchMs: 30_000,
};

/**
 * What is only read is asked that often before its answer counts, and once more where there was none in
 * time: a connection that is dead without having said so is another one then. Writes are their callers'
 * affair.
 */
const readTries = { answered: 3, late: 2 };
const readPauseMs = 200;

type ConnectionOf = Parameters<KubeConfig["createDispatcherOptions"]>;
type DispatcherOptions = ReturnType<KubeConfig["createDispatcherOptions"]>;

/**
 * A kubeconfig whose clients end: the client library itself waits for an answer for minutes, and
 * for the rest of one without end. Watches and port-forwards are no such calls, and have limits of
 * their own.
 */
class BoundedKubeConfig extends KubeConfig {
  constructor() {
    super();
    for (const each of this["authenticators"]) if ("execFn" in each) Object.assign(each, { execFn: login });
    const create = this["createDispatcher"] as (...of: ConnectionOf) => unknown;
    Object.assign(this, { createDispatcher: this.keptConnections((...of) => create.call(this, ...of)) });
  }

  /**
   * By HTTP/1.1: a request that is given up ends its connection, so that the next try has another one, and a
   * server that says farewell on a connection has nobody else's requests on it.
   */
  override createDispatcherOptions(...of: ConnectionOf): DispatcherOptions {
    const options = super.createDispatcherOptions(...of);
    const http1 = { allowH2: false };
    switch (options.type) {
      case "agent":
        return { ...options, connect: { ...options.connect, ...http1 } };
      case "proxy":
        return { ...options, requestTls: { ...options.requestTls, ...http1 } };
      case "socks":
      case "none":
        return options;
    }
  }

  /**
   * The client library makes a pool of connections for each call, and has a TLS handshake every time
   * (kubernetes-client/javascript#2893). The pool of before serves as long as it would be made the same way:
   * a login command may bring a new certificate.
   */
  private keptConnections(create: (...of: ConnectionOf) => unknown) {
    let kept: { madeFor: string; dispatcher: unknown } | undefined;
    return (...of: ConnectionOf) => {
      const madeFor = JSON.stringify(this.createDispatcherOptions(...of));
      if (kept?.madeFor !== madeFor) kept = { madeFor, dispatcher: create(...of) };
      return kept.dispatcher;
    };
  }

  /** @throws UnansweredError when the login command does not end, UserError when it fails */
  override async applySecurityAuthentication(context: RequestContext): Promise<void> {
    try {
      await super.applySecurityAuthentication(context);
    } catch (error) {
      if (error instanceof UnansweredError) throw error;
      const said = messageOf(error).trim();
      throw new UserError(
        {
          code: "BG-LOGIN-FAILED",
          what: `User ${this.getCurrentUser()?.name ?? "(none)"} of the kubeconfig is not logged in`,
          rule: said === "" ? "its login command failed without a reason" : said,
          next: `kubectl --context ${this.getCurrentContext()} get namespaces, which logs in the same way; then run the command again`,
        },
        { cause: error },
      );
    }
  }

  override makeApiClient<T extends ApiType>(apiClientType: ApiConstructor<T>): T {
    const cluster = this.getCurrentCluster();
    if (cluster === null) throw new Error(`context ${this.getCurrentContext()} names no cluster`);
    return new apiClientType(
      createConfiguration({
        baseServer: new ServerConfiguration(cluster.server, {}),
        authMethods: { default: this },
        httpApi: wrapHttpLibrary({ send: (request) => answerTo(request, this.getCurrentContext()) }),
      }),
    );
  }
}

/** Runs the command that a kubeconfig logs in by (its `exec`), which may wait for a server that is away. */
function login(command: string, args: string[] | undefined, options: SpawnOptions): ChildProcess {
  const child = spawn(command, args ?? [], options);
  const limit = setTimeout(() => {
    const seconds = patience.loginMs / 1000;
    child.emit(
      "error",
      new UnansweredError(`the login command of the kubeconfig, ${command}, did not end within ${seconds} s`),
    );
    child.kill("SIGKILL");
    // What it has started itself may live on, and must not keep this process waiting.
    child.stdout?.destroy();
    child.stderr?.destroy();
  }, patience.loginMs);
  child.once("exit", () => {
    clearTimeout(limit);
  });
  return child;
}

/** A read that its caller may give up is its own. */
async function answerTo(request: RequestContext, context: string): Promise<ResponseContext> {
  if (request.getHttpMethod() === HttpMethod.GET)
    return request.getSignal() === undefined
      ? readOnce(`${context} ${request.getUrl()}`, () => send(request))
      : send(request);
  try {
    return await send(request);
  } finally {
    forgetReads();
  }
}

const library = createConfiguration().httpApi;

async function send(request: RequestContext): Promise<ResponseContext> {
  const own = request.getSignal();
  const isRead = request.getHttpMethod() === HttpMethod.GET;
  for (let tried = 1; ; tried++) {
    const timeout = patience.of(request);
    try {
      request.setSignal(own === undefined ? timeout : AbortSignal.any([own, timeout]));
      const answer = await whole(request);
      if (!isRead || tried >= readTries.answered || !passes(answer.httpStatusCode)) return answer;
    } catch (error) {
      if (own?.aborted === true && !isTimeout(own.reason)) throw own.reason;
      const isLate = timeout.aborted || own?.aborted === true;
      const isLast = tried >= (isLate ? readTries.late : readTries.answered);
      if (!isRead || isLast || own?.aborted === true)
        throw new UnansweredError(
          isLate ? "the API server did not answer in time" : `the API server did not answer: ${why(error)}`,
          { cause: error },
        );
    }
    await delay(readPauseMs * tried);
  }
}

/** With its body: a connection may end in the middle of one. */
async function whole(request: RequestContext): Promise<ResponseContext> {
  const { httpStatusCode, headers, body } = await library.send(request).toPromise();
  const text = await body.text();
  return new ResponseContext(httpStatusCode, headers, {
    text: () => Promise.resolve(text),
    binary: () => Promise.resolve(Buffer.from(text)),
    stream: () => null,
  });
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === "TimeoutError";
}

/** fetch says the same of whatever it was. */
function why(error: unknown): string {
  return error instanceof Error && error.cause instanceof Error
    ? messageOf(error.cause) || String(error.cause)
    : messageOf(error);
}
