/** What the process of a batch tells the runner, a line of JSON each. */
export type TestEvent =
  | { kind: "passed" | "skipped"; title: string; seconds: number }
  | { kind: "failed"; title: string; seconds: number; error: string }
  /**
   * The last one. The processor time is that of the process and of all that it has started and waited for.
   */
  | { kind: "end"; cpuSeconds: number; updates: number };

/** The file descriptor that they are written to: what a test prints goes elsewhere. */
export const eventsFd = 3;
