/** What an update does, read from the engine's events instead of from its text. */
import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";
import type { PlannedResource } from "@bluegreen/release/doctor/planned";

export interface Diagnostic {
  severity: "info" | "warning" | "error";
  message: string;
  urn?: string;
  /** `PACK/POLICY`, where a policy says it. A mandatory violation is an error, an advisory one a warning. */
  policy?: string;
}

export interface Step {
  /** As Pulumi calls it: create, update, create-replacement, same, … */
  op: string;
  urn: string;
  type: string;
  name: string;
}

/** How many resources each operation is for, as in the summary at the end of an update. */
export type Changes = Record<string, number>;

/** What is known of a run of the engine once it is over. */
export interface Observed {
  steps: Step[];
  diagnostics: Diagnostic[];
  changes: Changes;
}

export function observe(events: readonly EngineEvent[]): Observed {
  return {
    steps: events.flatMap(({ resourcePreEvent }) =>
      resourcePreEvent === undefined ? [] : stepsOf(resourcePreEvent.metadata),
    ),
    diagnostics: events.flatMap(diagnosticsOf),
    changes: changesOf(
      events.findLast(({ summaryEvent }) => summaryEvent !== undefined)?.summaryEvent?.resourceChanges ?? {},
    ),
  };
}

/** Those that a preview leaves there. */
export function resourcesIn(events: readonly EngineEvent[]): PlannedResource[] {
  return events.flatMap(({ resourcePreEvent }) => {
    const { type, new: wanted } = resourcePreEvent?.metadata ?? {};
    // Null where one is deleted, which the types leave out.
    return type === undefined || !wanted ? [] : [{ type, inputs: { ...wanted.inputs } }];
  });
}

/** The resource's own name: the last part of its URN, which may hold the separator itself. */
export function nameOf(urn: string): string {
  return urn.split("::").slice(3).join("::");
}

/** In the order in which they were met, each with the resource that it is about. */
export function errorsIn(diagnostics: readonly Diagnostic[]): string[] {
  return diagnostics
    .filter(({ severity }) => severity === "error")
    .map(({ message, urn }) => `${urn === undefined ? "" : `${nameOf(urn)}: `}${message}`);
}

/** Default providers are Pulumi's own business: no program names them. */
const defaultProvider = /::pulumi:providers:[^:]+::default(?:_|$)/;

function stepsOf({ op, urn, type }: { op: string; urn: string; type: string }): Step[] {
  return defaultProvider.test(urn) ? [] : [{ op, urn, type, name: nameOf(urn) }];
}

/**
 * What people are told. The engine also sends "debug", which its types leave out, and in it secret values in
 * plain text.
 */
const severities = new Map<string, Diagnostic["severity"]>([
  ["info", "info"],
  ["info#err", "info"],
  ["warning", "warning"],
  ["error", "error"],
]);

/** That a run has failed is all that these say; why stands before them. */
const lastWords = ["preview failed", "update failed"];

function diagnosticsOf({ diagnosticEvent: diagnostic, policyEvent: violation }: EngineEvent): Diagnostic[] {
  if (violation !== undefined) {
    const { policyName, policyPackName, message, enforcementLevel, resourceUrn } = violation;
    // Of a mandatory one an organization can make exceptions, which the Automation API's types do not know.
    const isForbidden = enforcementLevel === "mandatory" && !("exceptions" in violation);
    return [
      {
        severity: isForbidden ? "error" : "warning",
        message: message.trim(),
        policy: `${policyPackName}/${policyName}`,
        ...about(resourceUrn),
      },
    ];
  }
  // Ephemeral ones are the progress of a step, which the next one overwrites.
  if (diagnostic === undefined || diagnostic.ephemeral === true) return [];
  const severity = severities.get(diagnostic.severity);
  const message = diagnostic.message.trim();
  return severity === undefined || lastWords.includes(message)
    ? []
    : [{ severity, message, ...about(diagnostic.urn) }];
}

function about(urn: string | undefined): Pick<Diagnostic, "urn"> {
  return urn === undefined || urn === "" ? {} : { urn };
}

function changesOf(counts: Partial<Record<string, number>>): Changes {
  return Object.fromEntries(
    Object.entries(counts).flatMap(([op, count]) =>
      count === undefined || count === 0 ? [] : [[op, count]],
    ),
  );
}
