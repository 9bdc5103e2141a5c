/** One stack, driven by Pulumi's own command line through the Automation API. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { ConfigMap, EngineEvent, LocalWorkspace, OutputMap, Stack as PulumiStack, UpOptions } from "@pulumi/pulumi/automation/index.js";
import { errorsIn, observe, type Diagnostic, type Observed } from "./events";

export interface StackOptions {
  name: string;
  /** The folder of Pulumi.yaml. @default this process's */
  workDir?: string;
  /** On top of this process's environment: PULUMI_BACKEND_URL, PULUMI_CONFIG_PASSPHRASE, KUBECONFIG, … */
  env?: Record<string, string>;
}

/** Where a run comes from, what it is limited to, and who hears of it; `signal` ends it as Ctrl-C does. */
export type RunOptions = Pick<UpOptions, "refresh" | "target" | "targetDependents" | "policyPacks" | "onOutput" | "onError" | "signal">;

export interface Result extends Observed {
  /** What Pulumi printed for people. */
  text: string;
}

export interface ConfigValue {
  /** Lists and objects are written whole; as a secret, they are one JSON text. */
  value: unknown;
  /** @default false */
  secret?: boolean;
}

/** A run that failed, with all that the engine reported. */
export class UpdateError extends Error {
  override readonly name = "UpdateError";
  constructor(
    message: string,
    readonly diagnostics: readonly Diagnostic[],
    options: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * Every method throws what the Automation API throws (ConcurrentUpdateError where another update has the stack,
 * StackNotFoundError, CommandError), and UpdateError where the engine says why a run failed.
 */
export class Stack {
  static async open({ name, workDir = process.cwd(), env = {} }: StackOptions): Promise<Stack> {
    // It takes a second to load, and most commands never run the engine.
    const automation = await import("@pulumi/pulumi/automation/index.js");
    // Types are checked by `npm run check`, not by every update.
    const envVars = { PULUMI_NODEJS_TRANSPILE_ONLY: "true", ...env };
    const workspace = await automation.LocalWorkspace.create({ workDir, envVars });
    // The Automation API would change which stack is selected, for every later `pulumi up` of the user's.
    workspace.selectStack = () => Promise.resolve();
    // It reads all outputs after each update, by two more processes. Whoever wants them asks.
    const outputs = workspace.stackOutputs.bind(workspace, name);
    workspace.stackOutputs = () => Promise.resolve({});
    return new Stack(await automation.Stack.select(name, workspace), workspace, outputs);
  }

  /** The same, made first where there is none. */
  static async create(options: StackOptions): Promise<Stack> {
    const { StackAlreadyExistsError } = await import("@pulumi/pulumi/automation/index.js");
    const stack = await Stack.open(options);
    await stack.workspace.createStack(options.name).catch((error: unknown) => {
      if (!(error instanceof StackAlreadyExistsError)) throw error;
    });
    return stack;
  }

  private constructor(
    private readonly stack: PulumiStack,
    private readonly workspace: LocalWorkspace,
    /** Secret ones in plain text: they stay in this process. */
    readonly outputs: () => Promise<OutputMap>,
  ) {}

  get name(): string {
    return this.stack.name;
  }

  /** Of the command line that drives it, such as 3.274.1. */
  get pulumiVersion(): string {
    return this.workspace.pulumiVersion;
  }

  preview(options: RunOptions = {}): Promise<Result> {
    return observed("preview", (onEvent) => this.stack.preview({ ...options, onEvent }));
  }

  up(options: RunOptions = {}): Promise<Result> {
    return observed("update", (onEvent) => this.stack.up({ ...options, onEvent }));
  }

  refresh(options: RunOptions = {}): Promise<Result> {
    return observed("refresh", (onEvent) => this.stack.refresh({ ...options, onEvent }));
  }

  destroy(options: RunOptions = {}): Promise<Result> {
    return observed("destroy", async (onEvent) => {
      // As `pulumi destroy` does, and the Automation API does not: what is protected is found before anything is deleted.
      await this.stack.previewDestroy(options);
      return this.stack.destroy({ ...options, onEvent });
    });
  }

  /** Gives up the lock of an update that was killed. */
  cancel(): Promise<void> {
    return this.stack.cancel();
  }

  /** What `pulumi stack import` takes; secrets stay encrypted. */
  async exportDeployment(): Promise<unknown> {
    return this.stack.exportStack();
  }

  /** All of it by its full key. Secret values are in plain text: they stay in this process. */
  config(): Promise<ConfigMap> {
    return this.stack.getAllConfig();
  }

  async setConfig(values: Record<string, ConfigValue>): Promise<void> {
    const entries = Object.entries(values);
    const open = entries.filter(([, { secret }]) => secret !== true);
    const simple = open.filter(([, { value }]) => typeof value !== "object");
    const whole = open.filter(([, { value }]) => typeof value === "object");
    // Each waits for the one before: all of them write the same file.
    if (simple.length > 0) await this.stack.setAllConfig(Object.fromEntries(simple.map(([key, { value }]) => [key, { value: textOf(value) }])));
    if (whole.length > 0) await this.setWhole(Object.fromEntries(whole.map(([key, { value }]) => [key, value])));
    for (const [key, { value }] of entries.filter(([, { secret }]) => secret === true)) await this.setSecret(key, textOf(value));
  }

  removeConfig(keys: string[]): Promise<void> {
    return this.stack.removeAllConfig(keys);
  }

  /** The command line sets lists and objects leaf by leaf; the file takes them whole. */
  private async setWhole(values: Record<string, unknown>): Promise<void> {
    const { name: project } = await this.workspace.projectSettings();
    const settings = await this.workspace.stackSettings(this.name).catch(() => ({ config: {} }));
    const config = Object.entries(values).map(([key, value]) => [key.includes(":") ? key : `${project}:${key}`, value]);
    await this.workspace.saveStackSettings(this.name, { ...settings, config: { ...settings.config, ...Object.fromEntries(config) } });
  }

  /** By standard input: the Automation API passes values as arguments, which every user of the machine can read. */
  private async setSecret(key: string, value: string): Promise<void> {
    const { workDir, envVars, pulumiCommand } = this.workspace;
    const child = spawn(pulumiCommand.command, ["config", "set", "--secret", key, "--stack", this.name, "--non-interactive"], { cwd: workDir, env: { ...process.env, ...envVars }, stdio: ["pipe", "ignore", "pipe"] });
    const errors: string[] = [];
    child.stderr.setEncoding("utf8").on("data", (text: string) => errors.push(text));
    child.stdin.end(value);
    const [code] = (await once(child, "close")) as [number | null];
    if (code !== 0) throw new Error(`Config ${key} of stack ${this.name} could not be set: ${errors.join("").trim()}`);
  }
}

/** Pulumi's exit says only that it failed; why is in its events. */
async function observed(what: string, run: (onEvent: (event: EngineEvent) => void) => Promise<{ stdout: string }>): Promise<Result> {
  const events: EngineEvent[] = [];
  try {
    const { stdout } = await run((event) => events.push(event));
    return { ...observe(events), text: stdout };
  } catch (error) {
    const { diagnostics } = observe(events);
    const errors = errorsIn(diagnostics);
    throw errors.length === 0 ? error : new UpdateError(`${what} failed: ${errors.join("\n")}`, diagnostics, { cause: error });
  }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
