/**
 * Pulumi's encoding of property values on the wire: protobuf structs in which objects with a magic key
 * stand for secrets, outputs, assets and references, and one magic string for "not known yet".
 */
import { createRequire } from "node:module";
import type { Struct } from "google-protobuf/google/protobuf/struct_pb.js";
import type { Empty } from "google-protobuf/google/protobuf/empty_pb.js";
import { isProps, makeSecret, mapProps, type Props, Secret, UNKNOWN, Unknown, type Value } from "./value";

export const SIGNATURE = "4dabf18193072939515e22adb298388d";
export const SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270";
const OUTPUT_SIGNATURE = "d0e6a833031e9bbcd3f4e8bde6ca49a4";
const RESOURCE_SIGNATURE = "5cf8f73096256a8f31e491e813e4eb8e";
export const UNKNOWN_STRING = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

// The SDK may bring its own copy of google-protobuf: messages have to come from the copy that serializes them.
const requireFromSdk = createRequire(require.resolve("@pulumi/pulumi/package.json"));
interface StructModule {
  Struct: { fromJavaScript(value: { [key: string]: Json }): Struct };
}
interface EmptyModule {
  Empty: new () => Empty;
}
const structs = requireFromSdk("google-protobuf/google/protobuf/struct_pb") as StructModule;
const empties = requireFromSdk("google-protobuf/google/protobuf/empty_pb") as EmptyModule;

export function parseJson(text: string): Json {
  return JSON.parse(text) as Json;
}

export function empty(): Empty {
  return new empties.Empty();
}

export interface Decoded {
  props: Props;
  /** URNs that output values inside the properties depend on, by top-level property. */
  dependencies: Map<string, Set<string>>;
}

function decode(json: Json, dependencies: Set<string>): Value {
  if (json === UNKNOWN_STRING) return UNKNOWN;
  if (Array.isArray(json)) return json.map((item) => decode(item, dependencies));
  if (typeof json !== "object" || json === null) return json;
  const signature = json[SIGNATURE];
  if (signature === SECRET_SIGNATURE) return makeSecret(decode(json["value"] ?? null, dependencies));
  if (signature === OUTPUT_SIGNATURE) {
    const urns = json["dependencies"];
    if (Array.isArray(urns)) urns.forEach((urn) => typeof urn === "string" && dependencies.add(urn));
    const value = "value" in json ? decode(json["value"] ?? null, dependencies) : UNKNOWN;
    return json["secret"] === true ? makeSecret(value) : value;
  }
  return Object.fromEntries(Object.entries(json).map(([key, item]) => [key, decode(item, dependencies)]));
}

/** A struct as it came from the program or a provider. */
export function fromStruct(struct: Struct | undefined): Decoded {
  const dependencies = new Map<string, Set<string>>();
  if (!struct) return { props: {}, dependencies };
  const json: { [key: string]: Json } = struct.toJavaScript();
  const props = Object.fromEntries(
    Object.entries(json).map(([key, item]) => {
      const urns = new Set<string>();
      const value = decode(item, urns);
      if (urns.size > 0) dependencies.set(key, urns);
      return [key, value];
    }),
  );
  return { props, dependencies };
}

export interface EncodeOptions {
  /** false: secrets are sent as plain values, for providers that do not understand them. */
  secrets: boolean;
}

function encode(value: Value, options: EncodeOptions): Json {
  if (value instanceof Unknown) return UNKNOWN_STRING;
  if (value instanceof Secret) {
    const inner = encode(value.value, options);
    return options.secrets ? { [SIGNATURE]: SECRET_SIGNATURE, value: inner } : inner;
  }
  if (Array.isArray(value)) return value.map((item) => encode(item, options));
  if (!isProps(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, encode(item, options)]));
}

export function toJson(props: Props, options: EncodeOptions): { [key: string]: Json } {
  return Object.fromEntries(Object.entries(props).map(([key, value]) => [key, encode(value, options)]));
}

export function toStruct(props: Props, options: EncodeOptions): Struct {
  return structs.Struct.fromJavaScript(toJson(props, options));
}

/** Values that came as plain JSON, for example from a provider's own library. */
export function fromJson(json: Json): Value {
  return decode(json, new Set());
}

/** References to resources as the providers of simple resources want them: the id, or the URN of a component. */
export function dereference(value: Value): Value {
  if (value instanceof Secret) return new Secret(dereference(value.value));
  if (Array.isArray(value)) return value.map(dereference);
  if (!isProps(value)) return value;
  if (value[SIGNATURE] !== RESOURCE_SIGNATURE) return mapProps(value, dereference);
  const id = value["id"];
  return id === undefined ? (value["urn"] ?? null) : id === "" ? UNKNOWN : id;
}
