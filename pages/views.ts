import type { Color } from "@bluegreen/release/app/color";
import type { Sample } from "@bluegreen/release/state/samples";

// What both pages show: plain data, with nothing in it that a page has no use for.

/** A version as people call it. */
export interface Version {
  color: Color;
  /** Of its image: a tag, or a digest. */
  tag: string;
}

/** A move of traffic from one color to the other. */
export interface Move {
  /** ISO 8601. */
  at: string;
  kind: "switch" | "rollback" | "shift";
  /** The percentage of traffic that moved. */
  weight: number;
  /** Null at the first release. */
  from: Version | null;
  to: Version;
  who: string;
  why: string;
  /** What the analysis saw; empty for whatever a person asked for. */
  evidence: string[];
}

/** An observation of the analysis, with what spoke against the version. */
export type SampleView = Pick<Sample, "at" | "figures" | "score"> & { found: string[] };

/** A version that was rolled back, and is refused until it changes. */
export interface RolledBack extends Version {
  at: string;
  by: string;
  reason: string;
  evidence: string[];
}

export interface Migration {
  name: string;
  phase: string;
  state: string;
  notes: string[];
}

/** What is in the database, and what is not yet. */
export type Schema =
  { version: string | null; migrations: Migration[] } | { unreadable: string; notAsked?: true };

/** A gate, and what it came to when it was last passed. */
export interface PassedGate {
  gate: string;
  result: string;
}

/** As the stack's state has them. */
export type Gates = { passed: PassedGate[] } | { unreadable: string };
