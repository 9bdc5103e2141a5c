/** Something that speaks against a version. */
export interface Finding {
  what:
    | "restarts"
    | "oomKills"
    | "logErrors"
    | "latency"
    | "slower"
    | "serverErrors"
    | "clientErrors"
    | "notReady"
    | "query"
    | "webhook"
    | "noEndpoint"
    | "allCrashing";
  points: number;
  /** One line for people, with the figures. */
  text: string;
  /** A hard limit: rollback at once, whatever the score. */
  act?: true;
}

/** A finding that counts as long as it is in the window. */
export interface ScoredFinding extends Finding {
  /** When it was made, in seconds from the start of the analysis. */
  atSeconds: number;
}
