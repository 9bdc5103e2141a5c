/** The engine as everything else in this repository uses it: the real Pulumi CLI, or what stands in for it. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { Diagnostic } from "./errors";
import { pulumiCliEngine } from "./pulumiCli";
import { standInEngine } from "./standIn";
import type { Changes, Events, Operation } from "./events";
import type { ShownChange } from "./text";

export { EngineError } from "./errors";

export interface ConfigValue {
  value: unknown;
  secret?: boolean;
}

export interface StackOptions {
  name: string;
  /** The folder of Pulumi.yaml. */
  workDir: string;
  /** On top of this process's environment: PULUMI_BACKEND_URL, PULUMI_CONFIG_PASSPHRASE, KUBECONFIG, … */
  env: Record<string, string>;
}

export interface RunOptions {
  /** How many operations at a time; default 16. */
  parallel?: number;
  /** Bring the state in line with reality first. */
  refresh?: boolean;
  /** URNs, or patterns of them: nothing else changes. Preview and up only. */
  targets?: string[];
  /** What depends on a target may change, too. */
  targetDependents?: boolean;
  /** Folders of policy packs that judge it. Preview and up only. */
  policyPacks?: string[];
  /** A line of text for people, as it comes. */
  onOutput?: (line: string) => void;
  /** What happens, step by step. The stand-in only. */
  events?: Partial<Events>;
  signal?: AbortSignal;
}

export interface PreviewStep {
  op: Operation;
  urn: string;
  type: string;
  name: string;
  /** Secrets are shown as [secret]. */
  diff: ShownChange[];
}

export interface PreviewResult {
  changes: Changes;
  text: string;
  steps: PreviewStep[];
  diagnostics: Diagnostic[];
}

export interface Output {
  value: unknown;
  secret: boolean;
}

export type Outputs = Record<string, Output>;

export interface ChangeResult {
  changes: Changes;
  text: string;
  diagnostics: Diagnostic[];
}

export interface UpResult extends ChangeResult {
  outputs: Outputs;
}

/** One stack. Every method that runs the engine throws EngineError, with the diagnostics, when the run fails. */
export interface Stack {
  readonly name: string;
  setConfig(values: Record<string, ConfigValue>): Promise<void>;
  removeConfig(keys: string[]): Promise<void>;
  preview(options?: RunOptions): Promise<PreviewResult>;
  up(options?: RunOptions): Promise<UpResult>;
  refresh(options?: RunOptions): Promise<ChangeResult>;
  destroy(options?: RunOptions): Promise<ChangeResult>;
  outputs(): Promise<Outputs>;
  /** What `pulumi stack import` takes; secrets stay encrypted. */
  exportDeployment(): Promise<unknown>;
}

export interface Engine {
  /** "pulumi v3.260.0" or "stand-in". */
  readonly name: string;
  /** Selects the stack, creating it if there is none. */
  stack(options: StackOptions): Promise<Stack>;
}

/** Where the real CLI is, if it is on PATH. */
export function findPulumi(path: string | undefined = process.env["PATH"]): string | undefined {
  return (path ?? "")
    .split(delimiter)
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, "pulumi"))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** The real CLI where there is one; what stands in for it otherwise. */
export async function selectEngine(): Promise<Engine> {
  const pulumi = findPulumi();
  return pulumi === undefined ? standInEngine() : pulumiCliEngine();
}
