import type { AskPod } from "../kubernetes/pods.js";
import type { HeldLease } from "../kubernetes/heldLease.js";
import type { Say } from "../util/step.js";
import type { AnalysisSettings } from "../config/analysisSettings.js";

export interface AnalysisOptions {
  /** By what it is analyzed, and how it is rolled back. */
  settings: AnalysisSettings;
  /** How long. */
  forMs: number;
  /** How long ago traffic moved. */
  sinceMs: number;
  /** How pods are asked for their metrics. */
  ask: AskPod;
  lease: HeldLease;
  /** Who analyzes, for the mark and the history. */
  by: string;
  say: Say;
  /** Ends it. */
  signal: AbortSignal;
  /** Called with every poll. */
  polled?: () => void;
}

/**
 * How an analysis ended. over: traffic stays; beside is what the other color got meanwhile, where traffic was shared
 * out. breach: they were rolled back. stuck: they were to be, and could not. superseded: somebody else has
 * moved them, or begun another switch. lost: somebody else analyzes.
 */
export type AnalysisEnd =
  | { end: "over"; requests: number | null; beside: number | null }
  | { end: "breach" | "stuck"; reason: string; evidence: string[] }
  | { end: "superseded" }
  | { end: "lost" };

/** The hard limits are checked that often. */
export const pollIntervalMs = 1000;
