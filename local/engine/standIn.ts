/** The engine for machines without a Pulumi CLI. It says so. */
import { Backend } from "./backend";
import { hasSecrets, resolveConfig, type ResolvedConfig } from "./config";
import { type Crypter, newCrypter, openCrypter, passphraseFrom } from "./crypto";
import type { ChangeResult, ConfigValue, Engine, Outputs, PreviewResult, RunOptions, Stack, StackOptions, UpResult } from "./engine";
import { EngineError } from "./errors";
import { type Events, Recorder, type Step } from "./events";
import { takeLock } from "./lock";
import type { Path } from "./paths";
import { loadProject, type Project } from "./project";
import { progressLine, renderChanges, renderDiagnostics, renderSteps } from "./render";
import { Run } from "./run";
import { StackFile } from "./stackFile";
import { readDeployment, saltOf, writeDeployment } from "./state";
import { Targets } from "./targets";
import { nameOf, ROOT_STACK_TYPE } from "./urn";
import { containsSecret, type Props, reveal } from "./value";
import { showChange } from "./text";
import { toJson } from "./wire";

export const STAND_IN = "stand-in";
const DEFAULT_PARALLEL = 16;
const PLAIN = { color: false };

function environment(extra: Record<string, string>): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [key, value] of Object.entries({ ...process.env, ...extra })) if (value !== undefined) env[key] = value;
  return env;
}

function outputsFrom(props: Props): Outputs {
  const plain = toJson(Object.fromEntries(Object.entries(props).map(([key, value]) => [key, reveal(value)])), { secrets: false });
  return Object.fromEntries(
    Object.entries(plain).map(([key, value]) => [key, { value, secret: containsSecret(props[key] ?? null) }]),
  );
}

/** Lines for `onOutput`, beside the caller's own events. */
function announcing(options: RunOptions): Partial<Events> {
  const { events, onOutput } = options;
  const line = (text: string): void => onOutput?.(text);
  const quiet = (step: Step): boolean => step.op === "same" || step.op === "refresh";
  return {
    started: (step) => {
      if (!quiet(step)) line(progressLine(step, "started", 0, PLAIN));
      events?.started?.(step);
    },
    progress: (step, text) => events?.progress?.(step, text),
    done: (step, milliseconds) => {
      if (!quiet(step)) line(progressLine(step, "done", milliseconds, PLAIN));
      events?.done?.(step, milliseconds);
    },
    failed: (step, milliseconds) => {
      line(progressLine(step, "failed", milliseconds, PLAIN));
      events?.failed?.(step, milliseconds);
    },
    diagnostic: (diagnostic) => {
      line(`${diagnostic.severity}: ${diagnostic.urn === undefined ? "" : `${nameOf(diagnostic.urn)}: `}${diagnostic.message}`);
      events?.diagnostic?.(diagnostic);
    },
  };
}

function textOf(recorder: Recorder, past: boolean): string {
  const parts = [
    renderSteps(recorder.steps, PLAIN),
    renderDiagnostics(recorder.diagnostics, PLAIN),
    renderChanges(recorder.changes(), past),
  ];
  return parts.filter((part) => part !== "").join("\n");
}

function assertSucceeded(failed: boolean, what: string, recorder: Recorder): void {
  if (!failed) return;
  const errors = recorder.diagnostics.filter((one) => one.severity === "error");
  const list = errors.map(({ message, urn }) => `${urn === undefined ? "" : `${nameOf(urn)}: `}${message}`);
  throw new EngineError(`${what} failed: ${list.length > 0 ? list.join("\n") : "the program ended with an error"}`, recorder.diagnostics);
}

function textOfValue(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function isStructure(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** Each text in it by itself, as the real CLI keeps them. */
function encryptedIn(value: unknown, crypter: Crypter): unknown {
  if (Array.isArray(value)) return value.map((item) => encryptedIn(item, crypter));
  if (isStructure(value)) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, encryptedIn(item, crypter)]));
  return { secure: crypter.encrypt(textOfValue(value)) };
}

export class StandInStack implements Stack {
  readonly name: string;
  private readonly env: Record<string, string>;
  private readonly project: Project;
  private readonly backend: Backend;

  constructor(options: StackOptions) {
    this.name = options.name;
    if (!/^[A-Za-z0-9_.-]{1,100}$/.test(options.name)) {
      throw new EngineError(`stack name '${options.name}' is not valid: letters, digits, hyphens, underscores and periods, at most 100`);
    }
    this.env = environment(options.env);
    this.project = loadProject(options.workDir);
    this.backend = new Backend(this.project, this.env);
  }

  ensure(): void {
    if (!this.backend.exists(this.name)) this.backend.write(this.name, undefined);
  }

  async setConfig(values: Record<string, ConfigValue>): Promise<void> {
    const file = this.file();
    const secret = Object.values(values).some((one) => one.secret === true);
    const crypter = secret ? await this.crypter(file) : undefined;
    for (const [key, { value, secret: encrypted }] of Object.entries(values)) {
      file.set(key, encrypted === true && crypter ? encryptedIn(value, crypter) : isStructure(value) ? value : textOfValue(value));
    }
    file.save();
  }

  /** One part of a structure. */
  async setConfigPart(key: string, part: Path, { value, secret }: ConfigValue): Promise<void> {
    const file = this.file();
    file.set(key, secret === true ? encryptedIn(value, await this.crypter(file)) : value, part);
    file.save();
  }

  removeConfig(keys: string[], part: Path = []): Promise<void> {
    const file = this.file();
    keys.forEach((key) => file.remove(key, part));
    file.save();
    return Promise.resolve();
  }

  async preview(options: RunOptions = {}): Promise<PreviewResult> {
    const recorder = new Recorder(announcing(options));
    const run = await this.run(options, recorder, true);
    const { failed } = await run.program();
    assertSucceeded(failed, "preview", recorder);
    return {
      changes: recorder.changes(),
      text: textOf(recorder, false),
      steps: recorder.steps.map(({ op, urn, type, name, diff }) => ({ op, urn, type, name, diff: diff.map(showChange) })),
      diagnostics: recorder.diagnostics,
    };
  }

  up(options: RunOptions = {}): Promise<UpResult> {
    return this.locked(async () => {
      if (options.refresh === true) await this.refreshUnlocked(options);
      const recorder = new Recorder(announcing(options));
      const run = await this.run(options, recorder, false);
      const { failed, outputs } = await run.program();
      assertSucceeded(failed, "update", recorder);
      return { ...this.result(recorder), outputs: outputsFrom(outputs) };
    });
  }

  refresh(options: RunOptions = {}): Promise<ChangeResult> {
    return this.locked(() => this.refreshUnlocked(options));
  }

  destroy(options: RunOptions = {}): Promise<ChangeResult> {
    return this.locked(async () => {
      const recorder = new Recorder(announcing(options));
      const run = await this.run(options, recorder, false, false);
      const { failed } = await run.destroy();
      assertSucceeded(failed, "destroy", recorder);
      return this.result(recorder);
    });
  }

  async outputs(): Promise<Outputs> {
    const json = this.backend.read(this.name);
    if (!json) return {};
    const snapshot = readDeployment(json, await this.crypter(this.file()));
    return outputsFrom(snapshot.resources.find((state) => state.type === ROOT_STACK_TYPE)?.outputs ?? {});
  }

  exportDeployment(): Promise<unknown> {
    return Promise.resolve({ version: 3, deployment: this.backend.read(this.name) ?? {} });
  }

  /** Takes away the protection from deletion, of one resource or of all. @returns of how many */
  unprotect(urn: string | undefined): Promise<number> {
    return this.locked(async () => {
      const crypter = await this.crypter(this.file());
      const snapshot = readDeployment(this.backend.read(this.name), crypter);
      const found = snapshot.resources.filter((state) => urn === undefined || state.urn === urn);
      if (urn !== undefined && found.length === 0) throw new EngineError(`no such resource '${urn}' in stack '${this.name}'; stack export shows them`);
      found.forEach((state) => { state.protect = false; });
      this.backend.write(this.name, writeDeployment(snapshot, crypter));
      return found.length;
    });
  }

  /** What the program would get; every violation at once. */
  async resolvedConfig(): Promise<ResolvedConfig> {
    const file = this.file();
    const entries = file.entries();
    const crypter = hasSecrets(Object.fromEntries(entries)) ? await this.crypter(file) : undefined;
    return resolveConfig(this.project, this.name, entries, crypter);
  }

  private file(): StackFile {
    return new StackFile(this.project, this.name);
  }

  private result(recorder: Recorder): ChangeResult {
    return { changes: recorder.changes(), text: textOf(recorder, true), diagnostics: recorder.diagnostics };
  }

  private async refreshUnlocked(options: RunOptions): Promise<ChangeResult> {
    const recorder = new Recorder(announcing(options));
    const run = await this.run(options, recorder, false, false);
    const { failed } = await run.refresh();
    assertSucceeded(failed, "refresh", recorder);
    return this.result(recorder);
  }

  private async locked<T>(work: () => Promise<T>): Promise<T> {
    const release = takeLock(this.backend.lockDirectory(this.name));
    try {
      return await work();
    } finally {
      release();
    }
  }

  /** The secrets' key: by the stack file's salt, by the state's, or a new one, which the stack file then keeps. */
  private async crypter(file: StackFile): Promise<Crypter> {
    const passphrase = passphraseFrom(this.env);
    const salt = file.salt ?? saltOf(this.backend.read(this.name));
    if (salt !== undefined) return openCrypter(passphrase, salt);
    const made = await newCrypter(passphrase);
    file.keepSalt(made.salt);
    file.save();
    return made;
  }

  /** Without the program (refresh, destroy) nobody is asked to complete the configuration first. */
  private async run(options: RunOptions, recorder: Recorder, preview: boolean, needsConfig = true): Promise<Run> {
    const file = this.file();
    const entries = file.entries();
    // Deriving the key takes a third of a second, in which the program starts, unless it needs a secret to start.
    const crypter = this.crypter(file);
    crypter.catch(() => undefined); // awaited by the run
    const opened = hasSecrets(Object.fromEntries(entries)) ? await crypter : undefined;
    const config: ResolvedConfig = needsConfig
      ? resolveConfig(this.project, this.name, entries, opened)
      : resolveConfig({ ...this.project, config: new Map() }, this.name, entries, opened);
    return new Run({
      project: this.project,
      stack: this.name,
      backend: this.backend,
      crypter,
      config,
      env: this.env,
      preview,
      parallel: options.parallel ?? DEFAULT_PARALLEL,
      targets: new Targets(options.targets, options.targetDependents),
      policyPacks: options.policyPacks ?? [],
      events: recorder,
      signal: options.signal ?? new AbortController().signal,
    });
  }
}

export function standInEngine(): Engine {
  return {
    name: STAND_IN,
    stack: (options) => {
      const stack = new StandInStack(options);
      stack.ensure();
      return Promise.resolve(stack);
    },
  };
}
