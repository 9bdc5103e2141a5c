import type { ErrorParts } from "@bluegreen/release/util/userError";
import type { Workload } from "../workload";

/** Traffic moves to pods that are ready: somebody has to ask them. */
export function probes({ name, pod: { containers = [] }, serves, isPatch }: Workload): ErrorParts[] {
  if (!serves || isPatch) return [];
  return containers.flatMap(({ name: container, readinessProbe, livenessProbe }) => {
    const missing = Object.entries({ readinessProbe, livenessProbe }).flatMap(([probe, value]) =>
      value === undefined ? [probe] : [],
    );
    return missing.length === 0
      ? []
      : [
          {
            what: `Container ${container} of ${name} has no ${missing.join(" and no ")}`,
            rule: "without a readiness probe a pod gets traffic before it can answer, without a liveness probe one that is stuck stays",
            next: `set ${missing.join(" and ")} of the container`,
          },
        ];
  });
}
