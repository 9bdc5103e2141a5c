import type { ErrorParts } from "@bluegreen/release/util/userError";
import { containersOf, type Container, type Workload } from "../workload";

/** For as long as both colors run, a node has twice the pods: it has to know of each what it needs. */
export function resources({ name, pod, isPatch }: Workload): ErrorParts[] {
  if (isPatch) return [];
  // Kubernetes takes none of an ephemeral container.
  return containersOf({ ...pod, ephemeralContainers: [] }).flatMap((container) => {
    const missing = missingOf(container);
    return missing.length === 0
      ? []
      : [
          {
            what: `Container ${container.name} of ${name} has no ${missing.join(", no ")}`,
            rule: "without requests a node takes more pods than it can serve, and without limits one pod takes from the others, users' among them",
            next: `set ${missing.map((each) => `resources.${each}`).join(", ")}`,
          },
        ];
  });
}

function missingOf({ resources: { requests = {}, limits = {} } = {} }: Container): string[] {
  return ["cpu", "memory"].flatMap((each) => [
    // Where there is a limit alone, the API server takes it for the request, too.
    ...(requests[each] === undefined && limits[each] === undefined ? [`requests.${each}`] : []),
    ...(limits[each] === undefined ? [`limits.${each}`] : []),
  ]);
}
