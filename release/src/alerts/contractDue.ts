import { dueAt } from "../migrations/contractGate.js";
import type { Alert, Version } from "./alert.js";

export interface ContractsWaiting {
  app: string;
  namespace: string;
  /** What serves traffic, since `switchedAt`. */
  live: Version;
  switchedAt: Date;
  /** Contract migrations that are not applied, by their ids, the newest last. */
  waiting: string[];
  /** Hours from the switch. */
  afterHours: number;
  who: string;
}

/**
 * That the time of contract migrations has come: the same alert, with the same id, however often it
 * is asked for. Undefined while it has not, and where none waits.
 * @param now by the same clock as the switch
 */
export function contractDueAlert(
  { app, namespace, live, switchedAt, waiting, afterHours, who }: ContractsWaiting,
  now: Date,
): Alert | undefined {
  const at = dueAt(switchedAt, afterHours);
  const last = waiting.at(-1);
  if (last === undefined || now < at) return undefined;
  return {
    kind: "contractDue",
    app,
    namespace,
    live,
    migrations: waiting,
    who,
    why: `the ${afterHours} h since the switch to ${live.color} are over: what only older versions used can go`,
    at,
    evidence: [
      `traffic has been on ${live.color} since ${switchedAt.toISOString()}`,
      `next: pulumi config set contractMigration ${last} && pulumi up`,
    ],
  };
}
