/** Kubernetes objects as plain JSON, and the few questions the provider asks of any of them. */
import { isProps, type Props, type Value } from "../value";
import type { Json } from "../wire";

export type JsonObject = { [key: string]: Json };

export interface ObjectReference {
  apiVersion: string;
  kind: string;
  name: string;
  namespace: string | undefined;
}

export const isObject = (json: Json | undefined): json is JsonObject =>
  typeof json === "object" && json !== null && !Array.isArray(json);

/** What stands at a path of keys, if anything does. */
export function dig(object: Json | undefined, ...keys: string[]): Json | undefined {
  return keys.reduce<Json | undefined>((at, key) => (isObject(at) ? at[key] : undefined), object);
}

export function digText(object: Json | undefined, ...keys: string[]): string | undefined {
  const found = dig(object, ...keys);
  return typeof found === "string" ? found : undefined;
}

export function digNumber(object: Json | undefined, ...keys: string[]): number {
  const found = dig(object, ...keys);
  return typeof found === "number" ? found : 0;
}

export function digList(object: Json | undefined, ...keys: string[]): JsonObject[] {
  const found = dig(object, ...keys);
  return Array.isArray(found) ? found.filter(isObject) : [];
}

export function referenceOf(object: JsonObject): ObjectReference {
  return {
    apiVersion: digText(object, "apiVersion") ?? "v1",
    kind: digText(object, "kind") ?? "",
    name: digText(object, "metadata", "name") ?? "",
    namespace: digText(object, "metadata", "namespace"),
  };
}

/** The id the real provider gives: `namespace/name`, or `name` for what has no namespace. */
export function idOf(object: JsonObject): string {
  const { name, namespace } = referenceOf(object);
  return namespace === undefined || namespace === "" ? name : `${namespace}/${name}`;
}

export function describe(reference: ObjectReference): string {
  return `${reference.kind} ${reference.namespace === undefined ? "" : `${reference.namespace}/`}${reference.name}`;
}

export function annotation(object: Json | undefined, name: string): string | undefined {
  return digText(object, "metadata", "annotations", name);
}

export function condition(object: JsonObject, type: string): JsonObject | undefined {
  return digList(object, "status", "conditions").find((one) => one["type"] === type);
}

export function propAt(props: Props, ...keys: string[]): Value | undefined {
  return keys.reduce<Value | undefined>((at, key) => (isProps(at) ? at[key] : undefined), props);
}

/** apiVersion and kind of a type token: `kubernetes:apps/v1:Deployment`, `kubernetes:core/v1:Service`. */
export function kindOfType(type: string): { apiVersion: string; kind: string } {
  const [, group = "", kind = ""] = type.split(":");
  return { apiVersion: group.startsWith("core/") ? group.slice("core/".length) : group, kind };
}
