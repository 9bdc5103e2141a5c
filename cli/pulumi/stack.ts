/** One stack, driven by Pulumi's own command line through the Automation API. */
import { setTimeout as delay } from "node:timers/promises";
import type {
  ConfigMap,
  EngineEvent,
  LocalWorkspace,
  Stack as PulumiStack,
  UpOptions,
} from "@pulumi/pulumi/automation/index.js";
import type { PlannedResource } from "@bluegreen/release/doctor/planned";
import { parseJson } from "@bluegreen/release/util/json";
import { messageOf, UserError } from "@bluegreen/release/util/userError";
import { askPulumi, noPulumi, pulumiVersion, quiet } from "./ask";
import { errorsIn, observe, resourcesIn, type Diagnostic, type Observed, type Step } from "./events";

export interface StackOptions {
  name: string;
  /** The folder of Pulumi.yaml. @default this process's */
  workDir?: string;
  /** On top of this process's environment: PULUMI_BACKEND_URL, PULUMI_CONFIG_PASSPHRASE, KUBECONFIG, … */
  env?: Record<string, string>;
}

/**
 * Where a run comes from, what it is limited to, and who hears of it; `signal` ends it as Ctrl-C does, unless
 * Pulumi has been told already.
 */
export type RunOptions = Pick<
  UpOptions,
  "configFile" | "refresh" | "target" | "targetDependents" | "policyPacks" | "onOutput" | "onError" | "signal"
>;

export interface Result extends Observed {
  /** What there will be, with the inputs that the program has registered. What is secret in them is not shown. */
  resources: PlannedResource[];
  /** What Pulumi printed for people. */
  text: string;
}

export interface Output {
  value: unknown;
  secret: boolean;
}

export interface ConfigValue {
  /** Lists and objects are written whole; as secrets, leaf by leaf. */
  value: unknown;
  /** @default false */
  secret?: boolean;
}

/** A run that began and failed, with all that the engine reported. */
export class UpdateError extends Error {
  override readonly name = "UpdateError";
  readonly steps: readonly Step[];
  readonly diagnostics: readonly Diagnostic[];
  constructor(message: string, { steps, diagnostics }: Observed, options: ErrorOptions) {
    super(message, options);
    this.steps = steps;
    this.diagnostics = diagnostics;
  }
}

/**
 * Every method throws what the Automation API throws where nothing has begun (ConcurrentUpdateError where
 * another update has the stack, StackNotFoundError, CommandError), and UpdateError where a run has.
 */
export class Stack {
  /** @throws UserError when there is no pulumi on PATH */
  static async open({ name, workDir = process.cwd(), env = {} }: StackOptions): Promise<Stack> {
    // It takes a second to load, and most commands never run the engine.
    const automation = await import("@pulumi/pulumi/automation/index.js");
    // Types are checked by `npm run check`, not by every update.
    const envVars = { PULUMI_NODEJS_TRANSPILE_ONLY: "true", ...quiet, ...env };
    const workspace = await automation.LocalWorkspace.create({ workDir, envVars }).catch(
      async (error: unknown) => {
        throw (await pulumiVersion()) === undefined ? new UserError(noPulumi) : error;
      },
    );
    // The Automation API would change which stack is selected, for every later `pulumi up` of the user's.
    workspace.selectStack = () => Promise.resolve();
    // It reads all outputs after each update, by two more processes. Whoever wants them asks.
    const outputs = workspace.stackOutputs.bind(workspace, name);
    workspace.stackOutputs = () => Promise.resolve({});
    const stack = await automation.Stack.select(name, workspace);
    // By one more it reads the update's entry in the history, which nobody wants.
    stack.info = () => Promise.resolve(undefined);
    return new Stack(stack, workspace, outputs);
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
    readonly outputs: () => Promise<Record<string, Output>>,
  ) {}

  get name(): string {
    return this.stack.name;
  }

  /** Of the command line that drives it, such as 3.274.1. */
  get pulumiVersion(): string {
    return this.workspace.pulumiVersion;
  }

  preview(options: RunOptions = {}): Promise<Result> {
    return observed("preview", options, (each) => this.stack.preview(each));
  }

  up(options: RunOptions = {}): Promise<Result> {
    return observed("update", options, (each) => this.stack.up(each));
  }

  refresh(options: RunOptions = {}): Promise<Result> {
    return observed("refresh", options, (each) => this.stack.refresh(each));
  }

  destroy(options: RunOptions = {}): Promise<Result> {
    return observed("destroy", options, async (each) => {
      // As `pulumi destroy` does, and the Automation API does not: what is protected is found before anything
      // is deleted.
      await this.stack.previewDestroy(options);
      return this.stack.destroy(each);
    });
  }

  /** Gives up the lock of an update that was killed. */
  cancel(): Promise<void> {
    return this.stack.cancel();
  }

  /**
   * What `pulumi stack import` takes. Secrets stay encrypted, which the Automation API's own would decrypt.
   */
  async exportDeployment(): Promise<unknown> {
    const { workDir: cwd, envVars: env } = this.workspace;
    const read = () => askPulumi(["stack", "export", "--stack", this.name], { cwd, env });
    return parseJson(
      await read().catch(async (error: unknown) => {
        if (!messageOf(error).includes("failed to load checkpoint")) throw error;
        // An update was just writing the file of a backend in a folder.
        await delay(checkpointMs);
        return read();
      }),
    );
  }

  /** All of it by its full key. Secret values are in plain text: they stay in this process. */
  config(): Promise<ConfigMap> {
    return this.stack.getAllConfig();
  }

  async setConfig(values: Record<string, ConfigValue>): Promise<void> {
    const entries = Object.entries(values);
    const open = entries.filter(([, { secret }]) => secret !== true);
    // In the form of `pulumi config --json`, in which lists and objects are whole.
    const listed = Object.fromEntries(
      open.map(([key, { value }]) => [
        key,
        { value: textOf(value), ...(typeof value === "object" && { objectValue: value }) },
      ]),
    );
    if (open.length > 0) await this.stack.setAllConfigJson(JSON.stringify(listed));
    const { workDir: cwd, envVars: env } = this.workspace;
    // Each waits for the one before: all of them write the same file.
    for (const [key, { value }] of entries.filter(([, { secret }]) => secret === true)) {
      const isWhole = typeof value === "object";
      // Nothing stays of what it held before.
      if (isWhole) await this.removeConfig([key]);
      for (const [path, leaf] of leavesOf(value, key)) {
        // By standard input: the Automation API passes values as arguments, which every user of the machine
        // can read.
        await askPulumi(
          ["config", "set", "--secret", ...(isWhole ? ["--path"] : []), path, "--stack", this.name],
          { cwd, env, input: leaf },
        );
      }
    }
  }

  removeConfig(keys: string[]): Promise<void> {
    return this.stack.removeAllConfig(keys);
  }
}

/**
 * Pulumi encrypts a list or an object leaf by leaf. @returns each by its property path, as
 * `alerts.webhookUrl`
 */
function leavesOf(value: unknown, path: string): [path: string, leaf: string][] {
  if (typeof value !== "object" || value === null) return [[path, textOf(value)]];
  if (Array.isArray(value)) return value.flatMap((each, index) => leavesOf(each, `${path}[${index}]`));
  return Object.entries(value).flatMap(([name, each]) =>
    leavesOf(each, /^[A-Za-z_$][\w$-]*$/.test(name) ? `${path}.${name}` : `${path}[${JSON.stringify(name)}]`),
  );
}

/** An update writes its state in less. */
const checkpointMs = 500;

/** So long Pulumi has to say that it is ending, before the signal is passed on to it. */
const tellMs = 1000;

/**
 * Runs it, and tells what its events said. Pulumi's exit says only that it failed.
 * @throws UpdateError when it had begun
 */
async function observed(
  what: string,
  { signal, ...options }: RunOptions,
  run: (options: UpOptions) => Promise<{ stdout: string }>,
): Promise<Result> {
  const events: EngineEvent[] = [];
  const ended = new AbortController();
  signal?.throwIfAborted();
  try {
    const { stdout } = await run({
      ...options,
      onEvent: (event) => events.push(event),
      ...(signal !== undefined && { signal: passedOn(signal, ended.signal, events) }),
    });
    return { ...observe(events), resources: resourcesIn(events), text: stdout };
  } catch (error) {
    if (events.length === 0) throw error;
    const seen = observe(events);
    const errors = errorsIn(seen.diagnostics);
    throw new UpdateError(`${what} failed: ${errors.join("\n") || messageOf(error)}`, seen, { cause: error });
  } finally {
    ended.abort();
  }
}

/**
 * A signal may have come to all processes of the group, Pulumi among them, and at the second one it drops
 * what it is doing. It says that it has got the first: by the only kind of event that no resource has.
 */
function passedOn(signal: AbortSignal, ended: AbortSignal, events: readonly EngineEvent[]): AbortSignal {
  const controller = new AbortController();
  const isTold = () => events.some(({ stdoutEvent }) => stdoutEvent !== undefined);
  signal.addEventListener(
    "abort",
    () => {
      delay(tellMs, undefined, { signal: ended }).then(
        () => {
          if (!isTold()) controller.abort();
        },
        () => undefined,
      );
    },
    { once: true, signal: ended },
  );
  return controller.signal;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
