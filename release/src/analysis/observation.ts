import type { RequestCounters } from "./requestCounters.js";
import type { PodState } from "./podState.js";
import type { QueryObservation } from "./prometheus.js";
import type { WebhookVerdict } from "./webhook.js";

// Plain data throughout: an observation outlives its process as JSON in a ConfigMap. 1,000 pods take about half a
// megabyte.

/** One pod at one observation. */
export interface PodObservation extends PodState {
  /** Whether it answered with its counters this time. */
  answered: boolean;
  /** The last that are known, which may be those of an observation before. */
  counters?: RequestCounters;
  log: LogPosition;
}

/** What it has counted, and nothing else of it. */
export type CountedPod = Pick<PodObservation, "name" | "answered" | "counters">;

/** What routes requests to a color has counted of them, each of its instances by itself, or why that is not known. */
export type RouterObservation = { counted: CountedPod[] } | { noData: string };

/** How far a pod's log has been read. */
export interface LogPosition {
  /** The time of the last line that was evaluated; absent when there was none. */
  last?: string;
  /**
   * When it was last read, in seconds from the start of this observation: negative where it could not be read
   * this time. No clock is in it, so no clock can be wrong.
   */
  readAt: number;
}

/** The logs of all pods between two observations. */
export interface LogObservation {
  errors: number;
  /** Up to three messages, with the pods they are from. */
  samples: string[];
  /** Pods with more lines than were read. */
  cutPods: number;
  /** Pods whose log could not be read. */
  unreadPods: number;
}

/** A color at one time, and what it logged since the observation before. */
export interface Observation {
  pods: PodObservation[];
  logs: LogObservation;
  queries: QueryObservation[];
  /** What the router has counted of this color; absent where nobody asks it. */
  router?: RouterObservation;
  /** The color's workers; absent where it has none. */
  workers?: PodState[];
  /** The pods of the other color at that time; absent where there are none, or they could not be had. */
  beside?: PodState[];
  /** Absent when no web hook is set. */
  webhook?: WebhookVerdict;
}
