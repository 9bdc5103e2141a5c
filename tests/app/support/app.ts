import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { freezeKey } from "@bluegreen/release";
import { waitFor } from "../../../local/system/wait";
import { bundle, type Fault, type Release } from "./bundle";

export interface AppOptions {
  release?: Release;
  fault?: Fault;
  env?: Record<string, string>;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

const running = new Set<ChildProcess>();

/** Ends what a failed test left running. */
export async function stopAll(): Promise<void> {
  await Promise.all(
    [...running].map(async (child) => {
      const exit = once(child, "exit");
      child.kill("SIGKILL");
      await exit;
    }),
  );
}

/** The built app as a process of its own, on a free port. */
export class App {
  /** Standard output, line by line. */
  readonly lines: string[] = [];
  /** Standard error: nothing should ever be in it. */
  stderr = "";
  readonly exited: Promise<Exit>;

  private constructor(private readonly child: ChildProcess) {
    running.add(child);
    if (child.stdout === null || child.stderr === null) throw new Error("The app was started without pipes");
    createInterface(child.stdout).on("line", (line) => this.lines.push(line));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
    this.exited = new Promise((resolve) => {
      child.once("close", (code, signal) => {
        running.delete(child);
        resolve({ code, signal });
      });
    });
  }

  /** Starts the process; it may not listen yet, and may never. */
  static async spawn({ release = "v2", fault = "none", env = {} }: AppOptions): Promise<App> {
    const file = await bundle(release, fault);
    const child = spawn(process.execPath, [file], {
      // Only what a pod would have: nothing of this machine's environment may help.
      env: {
        PORT: "0",
        BLUEGREEN_DRAIN_PORT: "0",
        ENVIRONMENT: "green",
        APP_VERSION: release,
        BLUEGREEN_READ_ONLY_KEY: freezeKey("test", "chatgpt-app"),
        OPENAI_API_KEY: "sk-test-key",
        // A port where nothing listens: tests never leave this machine.
        OPENAI_BASE_URL: "http://127.0.0.1:9/v1",
        DRAIN_SECONDS: "0",
        SHUTDOWN_GRACE_SECONDS: "10",
        ...env,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    return new App(child);
  }

  /** Starts the process and waits until it listens. */
  static async start(options: AppOptions): Promise<App> {
    const app = await App.spawn(options);
    await waitFor(
      () =>
        Promise.resolve(
          app.#portOf("listening") === undefined || app.#portOf("listening for drains") === undefined
            ? undefined
            : true,
        ),
      300_000,
      () => Promise.resolve(new Error(`The app did not listen within 30 s: ${app.output}`)),
    );
    return app;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get port(): number {
    const port = this.#portOf("listening");
    if (port === undefined) throw new Error(`The app does not listen: ${this.output}`);
    return port;
  }

  get drainPort(): number {
    const port = this.#portOf("listening for drains");
    if (port === undefined) throw new Error(`The app does not listen for drains: ${this.output}`);
    return port;
  }

  get output(): string {
    return [...this.lines, this.stderr].join("\n");
  }

  /** The log as the objects that its lines are; a line that is none fails here. */
  get log(): unknown[] {
    return this.lines.map((line): unknown => JSON.parse(line));
  }

  get(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.url}${path}`, { signal: AbortSignal.timeout(20_000), ...init });
  }

  post(path: string, body: string, timeoutMs = 20_000): Promise<Response> {
    return this.get(path, {
      method: "POST",
      body,
      headers: { "content-type": "application/json" },
      signal: AbortSignal.timeout(timeoutMs),
    });
  }

  /** Waits until /ready answers as wanted, and returns its body. */
  async untilReady(wanted: boolean): Promise<unknown> {
    let last: unknown;
    return waitFor(
      async () => {
        const response = await this.get("/ready");
        last = await response.json();
        return (response.status === 200) === wanted ? last : undefined;
      },
      300_000,
      () =>
        Promise.resolve(
          new Error(
            `The app did not become ${wanted ? "ready" : "unready"}; it last said ${JSON.stringify(last)}`,
          ),
        ),
    );
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  async stop(): Promise<Exit> {
    this.signal("SIGTERM");
    return this.exited;
  }

  #portOf(message: string): number | undefined {
    const line = this.lines.find((text) => text.includes(`"message":"${message}"`));
    const match = line === undefined ? null : /"port":(\d+)/.exec(line);
    return match?.[1] === undefined ? undefined : Number(match[1]);
  }
}
