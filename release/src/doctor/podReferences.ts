import { containersOf } from "../config/podTemplate/userTemplate.js";
import { isFields, type Fields } from "../util/fields.js";

/** What a pod does not start without. */
export interface Reference {
  kind: "Secret" | "ConfigMap";
  name: string;
  /** None of them: whatever it holds. */
  keys: string[];
  /** Whether images are pulled with it: it is a Secret of another type. */
  pulls: boolean;
}

/**
 * The Secrets and ConfigMaps that a pod spec names: by variables, whole objects of variables, volumes and pull
 * Secrets. What is optional is none.
 */
export function referencesOf(spec: Fields): Reference[] {
  const containers = [...containersOf(spec), ...containersOf(spec, "initContainers")];
  const variables = containers.flatMap(({ env }) => listOf(env)).map(({ valueFrom }) => valueFrom);
  const whole = containers.flatMap(({ envFrom }) => listOf(envFrom));
  const volumes = listOf(spec["volumes"]);
  const sources = volumes.flatMap(({ projected }) => listOf(isFields(projected) && projected["sources"]));
  return [
    ...variables
      .filter(isFields)
      .flatMap(({ secretKeyRef, configMapKeyRef }) => [
        ...reference("Secret", secretKeyRef),
        ...reference("ConfigMap", configMapKeyRef),
      ]),
    ...whole.flatMap(({ secretRef, configMapRef }) => [
      ...reference("Secret", secretRef),
      ...reference("ConfigMap", configMapRef),
    ]),
    ...[...volumes, ...sources].flatMap(({ secret, configMap }) => [
      ...reference("Secret", secret),
      ...reference("ConfigMap", configMap),
    ]),
    ...listOf(spec["imagePullSecrets"]).flatMap((each) =>
      reference("Secret", each).map((found) => ({ ...found, pulls: true })),
    ),
  ];
}

/** One field of a kind in a spec: a volume calls its Secret otherwise than all others do. */
function reference(kind: Reference["kind"], of: unknown): Reference[] {
  if (!isFields(of) || of["optional"] === true) return [];
  const name = of["name"] ?? of["secretName"];
  if (typeof name !== "string") return [];
  const keys = [of["key"], ...listOf(of["items"]).map(({ key }) => key)];
  return [{ kind, name, keys: keys.filter((key) => typeof key === "string"), pulls: false }];
}

function listOf(list: unknown): Fields[] {
  return Array.isArray(list) ? list.filter(isFields) : [];
}
