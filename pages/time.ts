/** 2026-01-02 03:04:05 UTC, as the command line has it: one clock for everybody who is awake. */
export function dayAndTime(at: string | number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** 03:04:05 UTC */
export function timeOfDay(at: string | number): string {
  return `${new Date(at).toISOString().slice(11, 19)} UTC`;
}
