/** A stack's resources in memory, and their form in Pulumi's version 3 checkpoint. */
import { createHash } from "node:crypto";
import type { Crypter } from "./crypto";
import { EngineError } from "./errors";
import { formatPath, parsePath } from "./paths";
import { isRecord } from "./project";
import { isProps, mapProps, type Props, Secret, Unknown, type Value } from "./value";
import { fromJson, type Json, parseJson, SECRET_SIGNATURE, SIGNATURE, UNKNOWN_STRING } from "./wire";

export interface CustomTimeouts {
  /** Seconds. */
  create?: number;
  update?: number;
  delete?: number;
}

export type HookPoint = "BeforeCreate" | "AfterCreate" | "BeforeUpdate" | "AfterUpdate" | "BeforeDelete" | "AfterDelete";

export interface ResourceState {
  urn: string;
  type: string;
  custom: boolean;
  id: string;
  inputs: Props;
  outputs: Props;
  parent: string;
  provider: string;
  dependencies: string[];
  propertyDependencies: Record<string, string[]>;
  protect: boolean;
  external: boolean;
  /** Replaced, to be deleted. */
  delete: boolean;
  /** Deleted to be replaced, not yet created again. */
  pendingReplacement: boolean;
  retainOnDelete: boolean;
  deletedWith: string;
  replaceWith: string[];
  initErrors: string[];
  additionalSecretOutputs: string[];
  ignoreChanges: string[];
  replaceOnChanges: string[];
  hideDiff: string[];
  customTimeouts: CustomTimeouts;
  hooks: Partial<Record<HookPoint, string[]>>;
  replacementTrigger?: Value;
  created?: string;
  modified?: string;
  /** What the real engine stored and the stand-in does not use; kept as it is. */
  other: Record<string, Json>;
}

export type OperationType = "creating" | "updating" | "deleting" | "reading";

export interface PendingOperation {
  type: OperationType;
  resource: ResourceState;
}

export interface Snapshot {
  resources: ResourceState[];
  pending: PendingOperation[];
}

export function newState(urn: string, type: string, custom: boolean): ResourceState {
  return {
    urn, type, custom, id: "", inputs: {}, outputs: {}, parent: "", provider: "",
    dependencies: [], propertyDependencies: {}, protect: false, external: false, delete: false,
    pendingReplacement: false, retainOnDelete: false, deletedWith: "", replaceWith: [], initErrors: [],
    additionalSecretOutputs: [], ignoreChanges: [], replaceOnChanges: [], hideDiff: [], customTimeouts: {},
    hooks: {}, other: {},
  };
}

/** A secret is encrypted once in a run, so that saving it again does not change the file. */
const ciphertexts = new WeakMap<Secret, string>();

function write(value: Value, crypter: Crypter): Json {
  if (value instanceof Secret) {
    const ciphertext = ciphertexts.get(value) ?? crypter.encrypt(JSON.stringify(write(value.value, crypter)));
    ciphertexts.set(value, ciphertext);
    return { [SIGNATURE]: SECRET_SIGNATURE, ciphertext };
  }
  if (value instanceof Unknown) return UNKNOWN_STRING;
  if (Array.isArray(value)) return value.map((item) => write(item, crypter));
  if (!isProps(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, write(item, crypter)]));
}

function read(value: Value, crypter: Crypter): Value {
  if (Array.isArray(value)) return value.map((item) => read(item, crypter));
  if (!isProps(value)) return value;
  const ciphertext = value["ciphertext"];
  if (value[SIGNATURE] === SECRET_SIGNATURE && typeof ciphertext === "string") {
    const secret = new Secret(read(fromJson(parseJson(crypter.decrypt(ciphertext))), crypter));
    ciphertexts.set(secret, ciphertext);
    return secret;
  }
  return mapProps(value, (item) => read(item, crypter));
}

type JsonObject = { [key: string]: Json };

function writeProps(props: Props, crypter: Crypter): JsonObject | undefined {
  const entries = Object.entries(props).map(([key, value]): [string, Json] => [key, write(value, crypter)]);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

const listOrNothing = (items: readonly string[]): string[] | undefined => (items.length === 0 ? undefined : [...items]);
const textOrNothing = (text: string): string | undefined => (text === "" ? undefined : text);
const flagOrNothing = (flag: boolean): true | undefined => (flag ? true : undefined);
const recordOrNothing = <T>(record: Record<string, T>): Record<string, T> | undefined =>
  Object.keys(record).length === 0 ? undefined : record;

function definedOnly(object: Record<string, Json | undefined>): JsonObject {
  const result: JsonObject = {};
  for (const [key, value] of Object.entries(object)) if (value !== undefined) result[key] = value;
  return result;
}

export function writeResource(state: ResourceState, crypter: Crypter): JsonObject {
  return definedOnly({
    urn: state.urn,
    custom: state.custom,
    delete: flagOrNothing(state.delete),
    id: textOrNothing(state.id),
    type: state.type,
    inputs: writeProps(state.inputs, crypter),
    outputs: writeProps(state.outputs, crypter),
    parent: textOrNothing(state.parent),
    protect: flagOrNothing(state.protect),
    external: flagOrNothing(state.external),
    dependencies: listOrNothing(state.dependencies),
    initErrors: listOrNothing(state.initErrors),
    provider: textOrNothing(state.provider),
    propertyDependencies: recordOrNothing(state.propertyDependencies),
    pendingReplacement: flagOrNothing(state.pendingReplacement),
    additionalSecretOutputs: listOrNothing(state.additionalSecretOutputs),
    customTimeouts: recordOrNothing(definedOnly({ ...state.customTimeouts })),
    retainOnDelete: flagOrNothing(state.retainOnDelete),
    deletedWith: textOrNothing(state.deletedWith),
    replaceWith: listOrNothing(state.replaceWith),
    created: state.created,
    modified: state.modified,
    ignoreChanges: listOrNothing(state.ignoreChanges),
    hideDiff: state.hideDiff.length === 0 ? undefined : state.hideDiff.map((path) => [...parsePath(path)]),
    replaceOnChanges: listOrNothing(state.replaceOnChanges),
    replacementTrigger: state.replacementTrigger === undefined ? undefined : write(state.replacementTrigger, crypter),
    resourceHooks: recordOrNothing(definedOnly({ ...state.hooks })),
    ...state.other,
  });
}

const KNOWN = new Set([
  "urn", "custom", "delete", "id", "type", "inputs", "outputs", "parent", "protect", "external", "dependencies",
  "initErrors", "provider", "propertyDependencies", "pendingReplacement", "additionalSecretOutputs",
  "customTimeouts", "retainOnDelete", "deletedWith", "replaceWith", "created", "modified", "ignoreChanges",
  "hideDiff", "replaceOnChanges", "replacementTrigger", "resourceHooks",
]);

const isObject = (json: Json | undefined): json is JsonObject => typeof json === "object" && json !== null && !Array.isArray(json);
const texts = (json: Json | undefined): string[] => (Array.isArray(json) ? json.filter((item) => typeof item === "string") : []);
const textOf = (json: Json | undefined): string => (typeof json === "string" ? json : "");
const textLists = (json: Json | undefined): Record<string, string[]> =>
  isObject(json) ? Object.fromEntries(Object.entries(json).map(([key, value]) => [key, texts(value)])) : {};

function readProps(json: Json | undefined, crypter: Crypter): Props {
  return isObject(json) ? mapProps(json, (value) => read(value, crypter)) : {};
}

function readTimeouts(json: Json | undefined): CustomTimeouts {
  if (!isObject(json)) return {};
  const { create, update, delete: remove } = json;
  return {
    ...(typeof create === "number" ? { create } : {}),
    ...(typeof update === "number" ? { update } : {}),
    ...(typeof remove === "number" ? { delete: remove } : {}),
  };
}

export function readResource(json: JsonObject, crypter: Crypter): ResourceState {
  const trigger = json["replacementTrigger"];
  const hideDiff = json["hideDiff"];
  return {
    urn: textOf(json["urn"]),
    type: textOf(json["type"]),
    custom: json["custom"] === true,
    id: textOf(json["id"]),
    inputs: readProps(json["inputs"], crypter),
    outputs: readProps(json["outputs"], crypter),
    parent: textOf(json["parent"]),
    provider: textOf(json["provider"]),
    dependencies: texts(json["dependencies"]),
    propertyDependencies: textLists(json["propertyDependencies"]),
    protect: json["protect"] === true,
    external: json["external"] === true,
    delete: json["delete"] === true,
    pendingReplacement: json["pendingReplacement"] === true,
    retainOnDelete: json["retainOnDelete"] === true,
    deletedWith: textOf(json["deletedWith"]),
    replaceWith: texts(json["replaceWith"]),
    initErrors: texts(json["initErrors"]),
    additionalSecretOutputs: texts(json["additionalSecretOutputs"]),
    ignoreChanges: texts(json["ignoreChanges"]),
    replaceOnChanges: texts(json["replaceOnChanges"]),
    hideDiff: Array.isArray(hideDiff) ? hideDiff.map((path) => formatPath(Array.isArray(path) ? path.filter((step) => typeof step === "string" || typeof step === "number") : [])) : [],
    customTimeouts: readTimeouts(json["customTimeouts"]),
    hooks: textLists(json["resourceHooks"]),
    ...(trigger === undefined ? {} : { replacementTrigger: read(fromJson(trigger), crypter) }),
    ...(typeof json["created"] === "string" ? { created: json["created"] } : {}),
    ...(typeof json["modified"] === "string" ? { modified: json["modified"] } : {}),
    other: Object.fromEntries(Object.entries(json).filter(([key]) => !KNOWN.has(key))),
  };
}

export const ENGINE_VERSION = "v3.0.0-bluegreen-stand-in";

/** What `stack export` prints and `stack import` takes, and what a checkpoint calls `latest`. */
export function writeDeployment(snapshot: Snapshot, crypter: Crypter): JsonObject {
  return definedOnly({
    manifest: {
      time: new Date().toISOString(),
      magic: createHash("sha256").update(ENGINE_VERSION).digest("hex"),
      version: ENGINE_VERSION,
    },
    secrets_providers: { type: "passphrase", state: { salt: crypter.salt } },
    resources: snapshot.resources.length === 0 ? undefined : snapshot.resources.map((state) => writeResource(state, crypter)),
    pending_operations:
      snapshot.pending.length === 0
        ? undefined
        : snapshot.pending.map(({ type, resource }) => ({ resource: writeResource(resource, crypter), type })),
    metadata: {},
  });
}

const OPERATIONS: readonly string[] = ["creating", "updating", "deleting", "reading"] satisfies OperationType[];
const isOperation = (text: Json | undefined): text is OperationType => typeof text === "string" && OPERATIONS.includes(text);

export function readDeployment(json: Json | undefined, crypter: Crypter): Snapshot {
  if (!isObject(json)) return { resources: [], pending: [] };
  const resources = Array.isArray(json["resources"]) ? json["resources"] : [];
  const pending = Array.isArray(json["pending_operations"]) ? json["pending_operations"] : [];
  return {
    resources: resources.filter(isObject).map((resource) => readResource(resource, crypter)),
    pending: pending.filter(isObject).flatMap((operation) => {
      const resource = operation["resource"];
      const type = operation["type"];
      return isObject(resource) && isOperation(type) ? [{ type, resource: readResource(resource, crypter) }] : [];
    }),
  };
}

/** The salt a checkpoint's secrets were made with. */
export function saltOf(json: unknown): string | undefined {
  const providers = isRecord(json) ? json["secrets_providers"] : undefined;
  if (!isRecord(providers)) return undefined;
  if (providers["type"] !== "passphrase") {
    throw new EngineError(`the stack's secrets provider is ${JSON.stringify(providers["type"])}; the stand-in engine covers passphrase only: use the Pulumi CLI`);
  }
  const state = providers["state"];
  return isRecord(state) && typeof state["salt"] === "string" ? state["salt"] : undefined;
}
