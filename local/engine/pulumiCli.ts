/** The real engine, through Pulumi's Automation API, behind the same interface. */
import type { EngineEvent, OutputMap, PreviewResult as RealPreview, Stack as RealStack } from "@pulumi/pulumi/automation/index.js";
import type { ChangeResult, ConfigValue, Engine, Outputs, PreviewResult, PreviewStep, RunOptions, Stack, StackOptions, UpResult } from "./engine";
import { type Diagnostic, EngineError, messageOf } from "./errors";
import type { Changes, Operation } from "./events";
import { formatPath, type Path } from "./paths";
import { loadProject } from "./project";
import { StackFile } from "./stackFile";
import { showChange, type ShownChange } from "./text";
import { diffProps } from "./diff";
import { isDefaultProvider, nameOf } from "./urn";
import { isProps, type Props } from "./value";
import { fromJson, parseJson } from "./wire";

const OPERATIONS: Record<string, Operation> = {
  create: "create", update: "update", replace: "replace", delete: "delete", same: "same", read: "read", refresh: "refresh",
};

function changesOf(summary: Record<string, number | undefined> | undefined): Changes {
  const changes: Changes = {};
  for (const [op, count] of Object.entries(summary ?? {})) {
    const known = OPERATIONS[op];
    if (known !== undefined && count !== undefined && count > 0) changes[known] = count;
  }
  return changes;
}

function propsOf(json: unknown): Props {
  const value = fromJson(parseJson(JSON.stringify(json ?? {})));
  return isProps(value) ? value : {};
}

function stepOf(event: EngineEvent): PreviewStep | undefined {
  const metadata = event.resourcePreEvent?.metadata;
  const op = metadata && OPERATIONS[metadata.op];
  if (!metadata || op === undefined || isDefaultProvider(metadata.urn)) return undefined;
  const compared = op === "update" || op === "replace";
  const diff: ShownChange[] = compared ? diffProps(propsOf(metadata.old?.inputs), propsOf(metadata.new?.inputs)).map(showChange) : [];
  return { op, urn: metadata.urn, type: metadata.type, name: nameOf(metadata.urn), diff };
}

function diagnosticOf({ diagnosticEvent: diagnostic, policyEvent: policy }: EngineEvent): Diagnostic | undefined {
  if (policy) {
    const { policyName, policyPackName, policyPackVersion, message, enforcementLevel, resourceUrn } = policy;
    return { severity: enforcementLevel === "mandatory" ? "error" : "warning", message: `policy ${policyName} of ${policyPackName} v${policyPackVersion}: ${withoutColors(message)}`, ...(resourceUrn === undefined ? {} : { urn: resourceUrn }) };
  }
  if (!diagnostic || diagnostic.ephemeral === true) return undefined;
  const severity = diagnostic.severity === "error" ? "error" : diagnostic.severity === "warning" ? "warning" : "info";
  return { severity, message: withoutColors(diagnostic.message), ...(diagnostic.urn === undefined ? {} : { urn: diagnostic.urn }) };
}

/** The CLI marks colors as <{%…%}>. */
function withoutColors(text: string): string {
  return text.replace(/<\{%.*?%\}>/g, "").trim();
}

function outputsOf(outputs: OutputMap): Outputs {
  return Object.fromEntries(Object.entries(outputs).map(([key, output]): [string, { value: unknown; secret: boolean }] => [key, { value: output.value, secret: output.secret }]));
}

class Watched {
  readonly steps: PreviewStep[] = [];
  readonly diagnostics: Diagnostic[] = [];

  readonly onEvent = (event: EngineEvent): void => {
    const step = stepOf(event);
    if (step) this.steps.push(step);
    const diagnostic = diagnosticOf(event);
    if (diagnostic) this.diagnostics.push(diagnostic);
  };

  /** The CLI's own words are in the diagnostics; its exit says only that it failed. */
  failure(what: string, error: unknown): EngineError {
    const errors = this.diagnostics.filter((one) => one.severity === "error");
    const list = errors.map(({ message, urn }) => `${urn === undefined ? "" : `${nameOf(urn)}: `}${message}`);
    return new EngineError(`${what} failed: ${list.length > 0 ? list.join("\n") : messageOf(error)}`, this.diagnostics);
  }
}

function limits({ targets, targetDependents, policyPacks }: RunOptions): { target?: string[]; targetDependents?: boolean; policyPacks?: string[] } {
  return { ...(targets === undefined ? {} : { target: targets }), ...(targetDependents === undefined ? {} : { targetDependents }), ...(policyPacks === undefined ? {} : { policyPacks }) };
}

function leavesOf(value: unknown, at: Path): [Path, string][] {
  if (typeof value === "string") return [[at, value]];
  if (typeof value !== "object" || value === null) return [[at, JSON.stringify(value)]];
  const parts: [string | number, unknown][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return parts.flatMap(([step, part]) => leavesOf(part, [...at, step]));
}

class CliStack implements Stack {
  constructor(
    private readonly stack: RealStack,
    private readonly options: StackOptions,
  ) {}

  get name(): string {
    return this.options.name;
  }

  async setConfig(values: Record<string, ConfigValue>): Promise<void> {
    const isStructured = ({ value }: ConfigValue) => typeof value === "object" && value !== null;
    const structured = Object.entries(values).filter(([, value]) => isStructured(value) && value.secret !== true);
    const simple = Object.entries(values).filter(([, value]) => !isStructured(value));
    for (const [key, { value }] of Object.entries(values).filter(([, each]) => isStructured(each) && each.secret === true)) {
      // Only the CLI can encrypt, and it does so leaf by leaf.
      await this.stack.removeAllConfig([key]);
      await this.stack.setAllConfig(Object.fromEntries(leavesOf(value, [key]).map(([path, text]) => [formatPath(path), { value: text, secret: true }])), true);
    }
    await this.stack.setAllConfig(
      Object.fromEntries(
        simple.map(([key, { value, secret }]) => [
          key,
          { value: typeof value === "string" ? value : JSON.stringify(value), secret: secret === true },
        ]),
      ),
    );
    if (structured.length === 0) return;
    // The CLI sets structures leaf by leaf; the file takes them whole.
    const file = new StackFile(loadProject(this.options.workDir), this.name);
    structured.forEach(([key, { value }]) => { file.set(key, value); });
    file.save();
  }

  removeConfig(keys: string[]): Promise<void> {
    return this.stack.removeAllConfig(keys);
  }

  async preview(options: RunOptions = {}): Promise<PreviewResult> {
    const watched = new Watched();
    const result = await this.run<RealPreview>("preview", watched, () => this.stack.preview({ ...this.common(options, watched), ...limits(options) }));
    return { changes: changesOf(result.changeSummary), text: result.stdout, steps: watched.steps, diagnostics: watched.diagnostics };
  }

  async up(options: RunOptions = {}): Promise<UpResult> {
    const watched = new Watched();
    const result = await this.run("update", watched, () =>
      this.stack.up({ ...this.common(options, watched), ...limits(options), ...(options.refresh === undefined ? {} : { refresh: options.refresh }) }),
    );
    return { ...this.change(result, watched), outputs: outputsOf(result.outputs) };
  }

  async refresh(options: RunOptions = {}): Promise<ChangeResult> {
    const watched = new Watched();
    return this.change(await this.run("refresh", watched, () => this.stack.refresh(this.common(options, watched))), watched);
  }

  async destroy(options: RunOptions = {}): Promise<ChangeResult> {
    const watched = new Watched();
    const common = this.common(options, watched);
    return this.run("destroy", watched, async () => {
      // As `pulumi destroy` does, and the Automation API does not: what is protected is found before anything is deleted.
      await this.stack.previewDestroy(common);
      return this.change(await this.stack.destroy(common), watched);
    });
  }

  async outputs(): Promise<Outputs> {
    return outputsOf(await this.stack.outputs());
  }

  exportDeployment(): Promise<unknown> {
    return this.stack.exportStack();
  }

  private common(options: RunOptions, watched: Watched) {
    return {
      onEvent: watched.onEvent,
      ...(options.onOutput ? { onOutput: options.onOutput } : {}),
      ...(options.parallel === undefined ? {} : { parallel: options.parallel }),
      ...(options.signal ? { signal: options.signal } : {}),
    };
  }

  private change(result: { stdout: string; summary: { resourceChanges?: Record<string, number | undefined> } }, watched: Watched): ChangeResult {
    return { changes: changesOf(result.summary.resourceChanges), text: result.stdout, diagnostics: watched.diagnostics };
  }

  private async run<T>(what: string, watched: Watched, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw watched.failure(what, error);
    }
  }
}

/** The Automation API takes a second to load, so it is loaded only here. */
export async function pulumiCliEngine(): Promise<Engine> {
  const automation = await import("@pulumi/pulumi/automation/index.js");
  const { version } = await automation.PulumiCommand.get();
  return {
    name: `pulumi v${version?.version ?? "unknown"}`,
    stack: async (options) => {
      // As in the stand-in: types are checked in CI, not at every run.
      const envVars = { PULUMI_NODEJS_TRANSPILE_ONLY: "true", ...options.env };
      const stack = await automation.LocalWorkspace.createOrSelectStack({ stackName: options.name, workDir: options.workDir }, { envVars });
      return new CliStack(stack, options);
    },
  };
}

