import { isFields, type Fields } from "../util/fields.js";
import { strategies, type Strategy } from "../config/strategies.js";
import { referencesOf, type Reference } from "./podReferences.js";

/** A resource of a preview, as the program has registered it, with whatever its code adds to config. */
export interface PlannedResource {
  /** As Pulumi calls it. */
  type: string;
  inputs: Fields;
}

type In<T> = T & { namespace: string };

/** What a preview tells of the Secrets and ConfigMaps that a release needs. */
export interface Planned {
  references: In<Reference>[];
  /** What the program makes itself. */
  made: In<Pick<Reference, "kind" | "name">>[];
  /** By whose Secrets steps reach a database; undefined where none is asked. */
  database: { strategy: Strategy; databaseSecret: string } | undefined;
}

/** Reads nothing but its arguments. */
export function plannedIn(resources: readonly PlannedResource[]): Planned {
  const of = (kind: string) =>
    resources.flatMap(({ type, inputs }) => {
      const { name, namespace } = isFields(inputs["metadata"]) ? inputs["metadata"] : {};
      return type === `kubernetes:${kind}` && typeof name === "string" && typeof namespace === "string"
        ? [{ name, namespace, inputs }]
        : [];
    });
  const made = (["Secret", "ConfigMap"] as const).flatMap((kind) =>
    of(`core/v1:${kind}`).map(({ name, namespace }) => ({ kind, name, namespace })),
  );
  return {
    references: [
      ...of("apps/v1:Deployment").flatMap(({ namespace, inputs }) =>
        referencesOf(specIn(inputs)).map((each) => ({ ...each, namespace })),
      ),
      ...of("core/v1:ServiceAccount").flatMap(({ namespace, inputs }) =>
        referencesOf({ imagePullSecrets: inputs["imagePullSecrets"] }).map((each) => ({
          ...each,
          namespace,
        })),
      ),
    ],
    made,
    database: databaseIn(resources),
  };
}

/** Steps that ask a database say which. */
export function databaseIn(resources: readonly PlannedResource[]): Planned["database"] {
  return resources.flatMap(({ inputs: { strategy, databaseSecret } }) => {
    const found = strategies.find((each) => each === strategy);
    return found !== undefined && typeof databaseSecret === "string"
      ? [{ strategy: found, databaseSecret }]
      : [];
  })[0];
}

function specIn({ spec }: Fields): Fields {
  const template = isFields(spec) ? spec["template"] : undefined;
  const pod = isFields(template) ? template["spec"] : undefined;
  return isFields(pod) ? pod : {};
}
