import { z } from "zod";
import type { V1Deployment, V1PodTemplateSpec } from "../../kubernetes/client.js";
import { mergeKeys } from "./strategicMerge.js";
import { isFields, type Fields } from "../../util/json.js";

/** Every part may be left out, and null takes a default away. */
type Patch<T> = T extends Date
  ? string
  : T extends readonly (infer Each)[]
    ? Patch<Each>[]
    : T extends object
      ? { [K in keyof T]?: Patch<T[K]> | null } & { $patch?: "delete" | "replace" }
      : T;

/** As in a Deployment's spec.template. */
export type PodTemplate = Patch<Pick<V1PodTemplateSpec, "metadata" | "spec">>;

/** What a program may give: a pod template, or the whole manifest of a Deployment that has one. */
export type PodTemplateArg = PodTemplate | Patch<V1Deployment>;

const texts = z.record(z.string(), z.string().nullable());
const entry = z.looseObject({ $patch: z.enum(["delete", "replace"]).optional() });

/** Of which each entry has what it is merged by. */
function keyed(kind: keyof typeof mergeKeys, list: string, each: z.ZodType<Fields> = entry) {
  const [key = ""]: readonly string[] = (mergeKeys[kind] as Record<string, readonly string[]>)[list] ?? [];
  return z
    .array(
      each.refine(
        (value) => value["$patch"] === "replace" || (value[key] !== undefined && value[key] !== null),
      ),
    )
    .nullish();
}

const variable = entry.extend({ value: z.string().nullish(), valueFrom: z.looseObject({}).nullish() });

const needs = z.record(z.string(), z.union([z.string(), z.number().transform(String)]).nullable()).nullish();

const container: z.ZodType<Fields> = entry.extend({
  image: z.string().nullish(),
  restartPolicy: z.string().nullish(),
  env: keyed("Container", "env", variable),
  envFrom: z.array(entry).nullish(),
  ports: keyed(
    "Container",
    "ports",
    entry.extend({ containerPort: z.int().min(1).max(65_535), name: z.string().nullish() }),
  ),
  volumeDevices: keyed("Container", "volumeDevices"),
  volumeMounts: keyed("Container", "volumeMounts"),
  resources: z.looseObject({ requests: needs, limits: needs }).nullish(),
  securityContext: z.looseObject({}).nullish(),
});

const podSpec = z.looseObject({
  containers: keyed("PodSpec", "containers", container),
  initContainers: keyed("PodSpec", "initContainers", container),
  hostAliases: keyed("PodSpec", "hostAliases"),
  imagePullSecrets: keyed("PodSpec", "imagePullSecrets"),
  topologySpreadConstraints: keyed("PodSpec", "topologySpreadConstraints"),
  volumes: keyed("PodSpec", "volumes"),
  serviceAccountName: z.string().nullish(),
  terminationGracePeriodSeconds: z.int().min(1).nullish(),
  securityContext: z.looseObject({}).nullish(),
  overhead: needs,
});

const template = z.strictObject({
  metadata: z.looseObject({ labels: texts.nullish(), annotations: texts.nullish() }).nullish(),
  spec: podSpec.nullish(),
});

export const podTemplateRule =
  "a pod template {metadata, spec} as in a Deployment, or a Deployment whole: texts in labels, annotations and env in quotes, entries of lists with their names, every value plain and none of another resource";

/** Of whole manifests the template: other fields of them are the program's. */
function templateIn(given: unknown): unknown {
  if (!isFields(given)) return given;
  const { kind, spec } = given;
  if (kind === "Deployment") return isFields(spec) ? spec["template"] : undefined;
  if (kind === "PodTemplate") return given["template"];
  if (kind !== "Pod") return given;
  return { metadata: given["metadata"], spec };
}

/** A pod template, from whatever holds one. */
export const podTemplateSchema = z
  .unknown()
  .refine(isPlain, podTemplateRule)
  .transform(templateIn)
  .pipe(template)
  // What is not checked here the API server checks, which previews ask.
  .transform((checked) => checked as PodTemplate);

/** As JSON has it: no output of a resource, no function, no date. */
function isPlain(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isPlain);
  if (typeof value !== "object" || value === null)
    return ["string", "number", "boolean"].includes(typeof value) || value === null || value === undefined;
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && Object.values(value).every(isPlain);
}
