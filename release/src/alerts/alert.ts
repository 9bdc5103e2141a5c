import { createHash } from "node:crypto";
import type { Color } from "../app/color.js";
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
