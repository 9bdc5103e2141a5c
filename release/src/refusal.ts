export interface RefusalParts {
  /** What was refused, with the offending value. */
  what: string;
  /** The rule that it breaks, or what was observed. */
  rule: string;
  /** The next command to type, or the next thing to do. */
  next: string;
}

/** An error for people: what was refused, why, and what to do next. */
export class Refusal extends Error {
  constructor({ what, rule, next }: RefusalParts, options?: ErrorOptions) {
    super(`${what}\n  why:  ${rule}\n  next: ${next}`, options);
    this.name = "Refusal";
  }
}

/** The text of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
