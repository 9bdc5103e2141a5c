import { shown } from "./shown.js";

/** What was examined, and what came of it. */
export type Finding = { subject: string; says: string } & (
  | { state: "well" }
  /** advice: works, and could be better. broken: a release would fail. unknown: it could not be examined. */
  | { state: "advice" | "broken" | "unknown"; next: string }
);

/** The subject of what is said of the ingress controller. */
export const ingressSubject = "ingress";

export function well(subject: string, says: string): Finding {
  return { subject, state: "well", says: shown(says) };
}

export function broken(subject: string, says: string, next: string): Finding {
  return toDo("broken", subject, says, next);
}

export function advice(subject: string, says: string, next: string): Finding {
  return toDo("advice", subject, says, next);
}

export function unknown(subject: string, says: string, next: string): Finding {
  return toDo("unknown", subject, says, next);
}

/** What a cluster or a database has said is a part of it. */
function toDo(state: "advice" | "broken" | "unknown", subject: string, says: string, next: string): Finding {
  return { subject, state, says: shown(says), next: shown(next) };
}
