import { createHash } from "node:crypto";
import type { Color } from "../app/color.js";
import { dueAt } from "../migrations/contractGate.js";
import type { ErrorCode } from "../util/errorCodes.js";

/** A version of the app on the color that runs it. */
export interface Version {
  color: Color;
  /** As its pods name it, tag included. */
  image: string;
}

export interface Link {
  text: string;
  /** http or https; any other is left out. */
  url: string;
}

interface Told {
  app: string;
  namespace: string;
  /** A person, a CI job, the analysis controller. */
  who: string;
  /** In one line. */
  why: string;
  at: Date;
  /** What was seen, a line each. */
  evidence: string[];
  links?: Link[];
}

/**
 * Something that people who do not look at the update have to know. `from` is undefined in the first release.
 */
export type Alert = Told &
  (
    | { kind: "started"; from: Version | undefined; to: Version }
    | { kind: "switched"; from: Version | undefined; to: Version }
    /** `from` is what traffic was moved away from. */
    | { kind: "rolledBack"; from: Version; to: Version }
    | { kind: "gateFailed"; gate: string; version: Version; code?: ErrorCode }
    | { kind: "contractDue"; live: Version; migrations: string[] }
  );

export type AlertKind = Alert["kind"];

/** In PagerDuty's words. */
export type Severity = "info" | "warning" | "error" | "critical";

const severities: Record<AlertKind, Severity> = {
  started: "info",
  switched: "info",
  contractDue: "warning",
  gateFailed: "error",
  rolledBack: "critical",
};

export function severityOf({ kind }: Alert): Severity {
  return severities[kind];
}

/** The version that an alert is about. */
export function versionOf(alert: Alert): Version {
  switch (alert.kind) {
    case "started":
    case "switched":
      return alert.to;
    case "rolledBack":
      return alert.from;
    case "gateFailed":
      return alert.version;
    case "contractDue":
      return alert.live;
  }
}

export function titleOf(alert: Alert): string {
  const { app } = alert;
  switch (alert.kind) {
    case "started":
      return `${app}: the switch to ${alert.to.color} has started`;
    case "switched":
      return `${app}: traffic is on ${alert.to.color}`;
    case "rolledBack":
      return `${app}: rolled back from ${alert.from.color} to ${alert.to.color}`;
    case "gateFailed":
      return `${app}: the ${alert.gate} of ${alert.version.color} has failed`;
    case "contractDue":
      return `${app}: contract migrations are due`;
  }
}

/** The same for the same event, whoever tells it and however often. */
export function idOf(alert: Alert): string {
  const { color, image } = versionOf(alert);
  const identity = [alert.kind, alert.namespace, alert.app, color, image, alert.at.toISOString()];
  return createHash("sha256").update(JSON.stringify(identity)).digest("hex").slice(0, 32);
}

/** The CI run that this process is a part of, for whoever wants to read its log; none outside of CI. */
export function linksToRun(env: NodeJS.ProcessEnv = process.env): Link[] {
  const { GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_RUN_ID, CI_JOB_URL } = env;
  if (GITHUB_SERVER_URL !== undefined && GITHUB_REPOSITORY !== undefined && GITHUB_RUN_ID !== undefined) {
    return [
      { text: "CI run", url: `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}/actions/runs/${GITHUB_RUN_ID}` },
    ];
  }
  return CI_JOB_URL === undefined ? [] : [{ text: "CI job", url: CI_JOB_URL }];
}

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
