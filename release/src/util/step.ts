/** Plain data that survives a trip through a provider's wire and state. */
export type Plain = string | number | boolean | null | Plain[] | { [key: string]: Plain };
export type PlainRecord = Record<string, Plain>;

export interface Violation {
  /** The input that is refused. */
  property: string;
  reason: string;
}

/** Tells whoever watches the update something, a line at a time. */
export type Say = (line: string) => void;

/**
 * Something that happens during an update: a lock, a migration run, a gate.
 * `check` and `isNeeded` also run in preview, so a pull request fails early;
 * `run` never does.
 */
export interface Step<Inputs extends PlainRecord, Outputs extends PlainRecord> {
  /**
   * Reasons to refuse the inputs; none means continue.
   * @param last what it last ran with; empty before its first run
   */
  check(inputs: Inputs, last: Partial<Inputs>, say: Say): Promise<Violation[]>;
  /**
   * Whether `run` has to happen again.
   * @param last what it last ran with, and what came of it: from an older version of it, perhaps less
   */
  isNeeded(last: Inputs & Partial<Outputs>, inputs: Inputs): Promise<boolean>;
  /**
   * Whether nothing of what it did is left, because the place where it did it was replaced: `pulumi refresh`
   * forgets it then, and the next update runs it as for the first time. One that has none is as it was.
   */
  isGone?(last: Inputs & Partial<Outputs>): Promise<boolean>;
  /**
   * Does it. Throws when it must stop the release.
   * @param last what it last ran with; empty before its first run
   */
  run(inputs: Inputs, say: Say, last?: Partial<Inputs>): Promise<Outputs>;
}
