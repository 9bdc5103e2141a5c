/** What happens during a run, as it happens: for progress lines, and for the result. */
import type { PropertyChange } from "./diff";
import type { Diagnostic } from "./errors";

export type Operation = "create" | "update" | "replace" | "delete" | "same" | "read" | "refresh";

export interface Step {
  op: Operation;
  urn: string;
  type: string;
  name: string;
  /** The changed properties; secrets are marked as such. */
  diff: PropertyChange[];
  /** What a replacement is for. */
  reasons: string[];
  /** "shown": part of another step, such as the deletion that ends a replacement. "hidden": nobody asked for it (default providers). */
  visibility: "counted" | "shown" | "hidden";
}

export interface Events {
  started(step: Step): void;
  progress(step: Step, text: string): void;
  done(step: Step, milliseconds: number): void;
  failed(step: Step, milliseconds: number): void;
  diagnostic(diagnostic: Diagnostic): void;
}

export type Changes = Partial<Record<Operation, number>>;

/** Collects what a result needs, and passes everything on. */
export class Recorder implements Events {
  readonly steps: Step[] = [];
  readonly diagnostics: Diagnostic[] = [];

  constructor(private readonly next: Partial<Events> = {}) {}

  started(step: Step): void {
    if (step.visibility !== "hidden") this.next.started?.(step);
  }

  progress(step: Step, text: string): void {
    this.next.progress?.(step, text);
  }

  done(step: Step, milliseconds: number): void {
    if (step.visibility === "counted") this.steps.push(step);
    if (step.visibility !== "hidden") this.next.done?.(step, milliseconds);
  }

  failed(step: Step, milliseconds: number): void {
    this.next.failed?.(step, milliseconds);
  }

  diagnostic(diagnostic: Diagnostic): void {
    this.diagnostics.push(diagnostic);
    this.next.diagnostic?.(diagnostic);
  }

  changes(): Changes {
    const changes: Changes = {};
    for (const { op } of this.steps) changes[op] = (changes[op] ?? 0) + 1;
    return changes;
  }
}
