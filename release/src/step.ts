/** Plain data that survives a trip through a provider's wire and state. */
export type Plain = string | number | boolean | null | Plain[] | { [key: string]: Plain };
export type PlainRecord = Record<string, Plain>;

export interface Violation {
  /** The input that is refused. */
  property: string;
  reason: string;
}

/**
 * Something that happens during an update: a lock, a migration run, a gate.
 * `check` and `isNeeded` also run in preview, so a pull request fails early;
 * `run` never does.
 */
export interface Step<Inputs extends PlainRecord, Outputs extends PlainRecord> {
  /** Reasons to refuse the inputs; none means go on. */
  check(inputs: Inputs): Promise<Violation[]>;
  /** Whether `run` has to happen again, given what it last ran with. */
  isNeeded(last: Inputs, inputs: Inputs): Promise<boolean>;
  /** Does it. Throws when it must stop the release. */
  run(inputs: Inputs): Promise<Outputs>;
}
