/** What the engine asks of a provider, whichever way it does its work. */
import type { Props } from "../value";

export interface CheckFailure {
  property: string;
  reason: string;
}

export interface Checked {
  inputs: Props;
  failures: CheckFailure[];
}

export interface ProviderDiff {
  /** "unknown": the provider does not say; the engine compares the inputs itself. */
  changes: "none" | "some" | "unknown";
  /** Properties that cannot change in place. */
  replaces: string[];
  deleteBeforeReplace: boolean;
}

export interface Resource {
  urn: string;
  type: string;
  name: string;
}

export interface CheckRequest extends Resource {
  /** Undefined when there is nothing to carry over (a new resource, or a replacement). */
  oldInputs: Props | undefined;
  inputs: Props;
}

export interface DiffRequest extends Resource {
  id: string;
  oldInputs: Props;
  oldOutputs: Props;
  inputs: Props;
}

interface Run {
  preview: boolean;
  /** Zero: the provider's own default. */
  timeoutSeconds: number;
  /** One line on what is being waited for. */
  progress(text: string): void;
  /** Aborted when the user cancels the run. */
  signal: AbortSignal;
}

export interface CreateRequest extends Resource, Run {
  inputs: Props;
}

export interface UpdateRequest extends DiffRequest, Run {
  ignoreChanges: readonly string[];
}

export interface DeleteRequest extends Resource, Omit<Run, "preview"> {
  id: string;
  oldInputs: Props;
  oldOutputs: Props;
}

export interface ReadRequest extends Resource {
  id: string;
  inputs: Props;
  outputs: Props;
}

export interface Created {
  id: string;
  outputs: Props;
}

export interface Live {
  id: string;
  outputs: Props;
  /** Undefined: the inputs are as before. */
  inputs?: Props;
}

export interface Provider {
  check(request: CheckRequest): Promise<Checked>;
  diff(request: DiffRequest): Promise<ProviderDiff>;
  create(request: CreateRequest): Promise<Created>;
  update(request: UpdateRequest): Promise<Props>;
  delete(request: DeleteRequest): Promise<void>;
  /** Undefined: it does not exist any more. */
  read(request: ReadRequest): Promise<Live | undefined>;
  invoke(token: string, args: Props): Promise<Props>;
  /** Looks for what an interrupted create may have left. Undefined: nothing, or creating again is harmless. */
  recover(resource: Resource, inputs: Props): Promise<Live | undefined>;
}

/** The resource exists now, but is not in working order: it is recorded with the reasons and the step fails. */
export class PartialFailure extends Error {
  constructor(
    message: string,
    readonly id: string,
    readonly outputs: Props,
    readonly reasons: string[],
  ) {
    super(message);
  }
}
