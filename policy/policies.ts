import type { EnforcementLevel, ResourceValidationPolicy, StackValidationPolicy } from "@pulumi/policy";
import { errorText, type ErrorParts } from "@bluegreen/release/util/userError";
import { shown } from "@bluegreen/release/util/shown";
import { appsOf, type App } from "./apps";
import { workloadOf, type Workload } from "./workload";

/** What is wrong, and with which resource of the stack. */
export interface Finding extends ErrorParts {
  urn: string;
}

/** Asked of everything that makes pods, before it is touched. */
export function podPolicy(
  name: string,
  description: string,
  rule: (workload: Workload) => ErrorParts[],
  enforcementLevel: EnforcementLevel = "mandatory",
): ResourceValidationPolicy {
  return {
    name,
    description,
    enforcementLevel,
    validateResource: ({ type, props }, report) => {
      const workload = workloadOf(type, props);
      for (const parts of workload === undefined ? [] : rule(workload)) report(shown(errorText(parts)));
    },
  };
}

/** Asked of each app, once the whole stack is known. */
export function appPolicy(
  name: string,
  description: string,
  rule: (app: App) => Finding[],
): StackValidationPolicy {
  return {
    name,
    description,
    enforcementLevel: "mandatory",
    validateStack: ({ resources }, report) => {
      for (const { urn, ...parts } of appsOf(resources).flatMap(rule)) report(shown(errorText(parts)), urn);
    },
  };
}
