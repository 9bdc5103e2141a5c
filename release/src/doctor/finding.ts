/** What was looked at, and what came of it. */
export type Finding = { subject: string; says: string } & (
  | { state: "well" }
  /** advice: works, and could be better. broken: a release would fail. unknown: it could not be looked at. */
  | { state: "advice" | "broken" | "unknown"; next: string }
);

export function well(subject: string, says: string): Finding {
  return { subject, state: "well", says };
}

export function broken(subject: string, says: string, next: string): Finding {
  return { subject, state: "broken", says, next };
}

export function advice(subject: string, says: string, next: string): Finding {
  return { subject, state: "advice", says, next };
}
