import { spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { passes, UnansweredError } from "../util/mayPass.js";
import { messageOf, UserError } from "../util/userError.js";
import {
  createConfiguration,
  HttpMethod,
  KubeConfig,
  ResponseContext,
  ServerConfiguration,
  wrapHttpLibrary,
  type ApiConstructor,
  type ApiType,
  type RequestContext,
} from "./client.js";

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

/**
 * A kubeconfig whose clients end: the client library itself waits for an answer for minutes, and
 * for the rest of one without end. Watches and port-forwards are no such calls, and have limits of
 * their own.
 */
export class BoundedKubeConfig extends KubeConfig {
  constructor() {
    super();
    for (const each of this["authenticators"]) if ("execFn" in each) Object.assign(each, { execFn: login });
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
        httpApi: wrapHttpLibrary({ send: (request) => send(request) }),
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
