/** `kubernetes:*` resources, by server-side apply: one field manager a resource, dry-run in previews, conflicts are errors. */
import { createHash, randomBytes } from "node:crypto";
import { changedPaths } from "../diff";
import { EngineError, messageOf } from "../errors";
import { untilGone, untilReady, type Waiting } from "../kubernetes/await";
import { Cluster, ClusterError, type ClusterOptions, UnreachableError } from "../kubernetes/cluster";
import {
  annotation, describe, dig, digList, digText, idOf, isObject, type JsonObject, kindOfType, type ObjectReference, propAt, referenceOf,
} from "../kubernetes/objects";
import { type Mutability, replacingFields } from "../kubernetes/replacement";
import { keepOldAt } from "../paths";
import { containsUnknown, isProps, mapProps, markSecretsLike, type Props, Secret, UNKNOWN, type Value } from "../value";
import { dereference, fromJson, toJson } from "../wire";
import {
  type Checked, type CheckRequest, type Created, type CreateRequest, type DeleteRequest, type DiffRequest, type Live,
  PartialFailure, type Provider, type ProviderDiff, type ReadRequest, type Resource, type UpdateRequest,
} from "./provider";

const MANAGER_KEY = "__fieldManager";
const INPUTS_KEY = "__inputs";
const VERSION_KEY = "__initialApiVersion";
const AUTONAMED = "pulumi.com/autonamed";
const PATCH_FORCE = "pulumi.com/patchForce";
const PATCH_MANAGER = "pulumi.com/patchFieldManager";
const OWN_MANAGER_PREFIX = "pulumi-kubernetes-";
/** Under these the real provider owns what it did not make by server-side apply; they are the same owner as we are. */
const CLIENT_SIDE_MANAGERS = new Set(["pulumi-kubernetes", "pulumi-resource-kubernetes"]);

export interface KubernetesOptions {
  cluster: ClusterOptions;
  namespace: string | undefined;
  mutable: Mutability;
  patchForce: boolean;
  /** Creating takes over an object that is there already. */
  upsert: boolean;
}

function managers(live: JsonObject | undefined): JsonObject[] {
  return digList(live, "metadata", "managedFields");
}

/** The properties to send: plain JSON without nulls and without the engine's own keys. */
function toObject(inputs: Props): JsonObject {
  return Object.fromEntries(Object.entries(toJson(inputs, { secrets: false })).filter(([key]) => !key.startsWith("__")));
}

function withoutNulls(value: Value): Value {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (value instanceof Secret) return new Secret(withoutNulls(value.value));
  if (!isProps(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== null).map(([key, item]) => [key, withoutNulls(item)]));
}

const SECRET_CONTENT = ["data", "stringData"];

/** A Secret's content is secret under both of its names, whoever wrote it. */
function markLive(live: Props, inputs: Props): Props {
  const marked = markSecretsLike(live, inputs);
  if (live["kind"] !== "Secret" || live["apiVersion"] !== "v1") return marked;
  return mapProps(marked, (value, key) => (SECRET_CONTENT.includes(key) && !(value instanceof Secret) ? new Secret(value) : value));
}

function encoded(value: Value): Value {
  if (value instanceof Secret) return new Secret(encoded(value.value));
  if (isProps(value)) return mapProps(value, encoded);
  return typeof value === "string" ? Buffer.from(value, "utf8").toString("base64") : value;
}

/** `stringData` is never read back: the API server keeps it encoded, as `data`, and so do the inputs. */
function withEncodedContent(inputs: Props): Props {
  const { stringData, ...rest } = inputs;
  if (inputs["kind"] !== "Secret" || inputs["apiVersion"] !== "v1" || stringData === undefined) return inputs;
  const plain = (value: Value | undefined): Value | undefined => (value instanceof Secret ? value.value : value);
  const data = plain(rest["data"]);
  const added = encoded(plain(stringData) ?? {});
  const merged = isProps(data) && isProps(added) ? { ...data, ...added } : added;
  const secret = stringData instanceof Secret || rest["data"] instanceof Secret;
  return { ...rest, data: secret ? new Secret(merged) : merged };
}

/** Live values at the places the inputs name: what a refresh makes of the inputs. */
function project(inputs: Value, live: Value | undefined): Value | undefined {
  if (inputs instanceof Secret) {
    const value = project(inputs.value, live instanceof Secret ? live.value : live);
    return value === undefined ? undefined : new Secret(value);
  }
  if (live instanceof Secret) return project(inputs, live.value);
  if (isProps(inputs) && isProps(live)) {
    return Object.fromEntries(
      Object.entries(inputs).flatMap(([key, value]): [string, Value][] => {
        const found = project(value, live[key]);
        return found === undefined ? [] : [[key, found]];
      }),
    );
  }
  if (Array.isArray(inputs) && Array.isArray(live) && inputs.length === live.length) {
    return inputs.map((item, index) => project(item, live[index]) ?? null);
  }
  return live;
}

export class KubernetesProvider implements Provider {
  private connected: Promise<Cluster> | undefined;

  constructor(private readonly options: KubernetesOptions) {}

  /** Loads the client and reads the kubeconfig, so that they are there when they are needed. */
  warmUp(): void {
    this.cluster().catch(() => undefined); // whoever needs it first gets the error
  }

  async check(request: CheckRequest): Promise<Checked> {
    const { apiVersion, kind } = kindOfType(request.type);
    if (kind.endsWith("Patch") || /^(helm\.sh|yaml|kustomize)\b/.test(apiVersion)) {
      throw new EngineError(`resource type ${request.type} is not covered by the stand-in engine; install the Pulumi CLI`);
    }
    const given = withoutNulls(mapProps(request.inputs, dereference));
    const inputs = withEncodedContent({ apiVersion, kind, ...(isProps(given) ? given : {}) });
    const metadata = isProps(inputs["metadata"]) ? inputs["metadata"] : {};
    return { inputs: { ...inputs, metadata: await this.fillMetadata(request, apiVersion, kind, metadata) }, failures: [] };
  }

  diff(request: DiffRequest): Promise<ProviderDiff> {
    const { apiVersion, kind } = kindOfType(request.type);
    const changed = changedPaths(comparable(request.oldInputs), comparable(request.inputs));
    const replaces = replacingFields(apiVersion, kind, request.inputs, changed, this.options.mutable);
    const autonamed = propAt(request.inputs, "metadata", "annotations", AUTONAMED) === "true";
    const sameIdentity = ["name", "namespace"].every(
      (key) => propAt(request.inputs, "metadata", key) === propAt(request.oldInputs, "metadata", key),
    );
    return Promise.resolve({
      changes: changed.length > 0 ? "some" : "none",
      replaces,
      // Two objects cannot have one name at a time.
      deleteBeforeReplace: replaces.length > 0 && sameIdentity && !autonamed,
    });
  }

  async create(request: CreateRequest): Promise<Created> {
    const manager = this.managerOf(request.urn, request.inputs, {});
    if (request.preview) return { id: "", outputs: await this.previewed(request, manager, undefined) };
    const cluster = await this.cluster();
    const object = toObject(request.inputs);
    const reference = referenceOf(object);
    const existing = await cluster.read(reference);
    const ours = managers(existing).some((entry) => entry["manager"] === manager);
    if (existing && !ours && !this.options.upsert && !this.forced(object)) {
      throw new EngineError(
        `${describe(reference)} already exists and is not managed by this stack. Delete it, or take it over with the annotation ${PATCH_FORCE}: "true"`,
      );
    }
    const applied = await this.apply(cluster, object, manager, this.forced(object));
    return this.settled(cluster, applied, request, manager, "created");
  }

  async update(request: UpdateRequest): Promise<Props> {
    const manager = this.managerOf(request.urn, request.inputs, request.oldOutputs);
    if (request.preview) return this.previewed(request, manager, request);
    const cluster = await this.cluster();
    const { object, force } = await this.prepared(cluster, request);
    const applied = await this.apply(cluster, object, manager, force);
    return (await this.settled(cluster, applied, request, manager, "updated")).outputs;
  }

  async delete(request: DeleteRequest): Promise<void> {
    const cluster = await this.cluster();
    const reference = this.referenceById(request);
    const live = await cluster.read(reference);
    if (!live) return;
    await cluster.delete(reference);
    if (annotation(live, "pulumi.com/skipAwait") !== "true") await untilGone(cluster, live, request);
  }

  async read(request: ReadRequest): Promise<Live | undefined> {
    const cluster = await this.cluster();
    const live = await cluster.read(this.referenceById(request));
    if (!live) return undefined;
    const manager = this.managerOf(request.urn, request.inputs, request.outputs);
    return this.asLive(live, request.inputs, manager);
  }

  invoke(token: string): Promise<Props> {
    return Promise.reject(new EngineError(`function ${token} is not covered by the stand-in engine; install the Pulumi CLI`));
  }

  async recover(resource: Resource, inputs: Props): Promise<Live | undefined> {
    if (containsUnknown(inputs)) return undefined;
    const manager = this.managerOf(resource.urn, inputs, {});
    const live = await (await this.cluster()).read(referenceOf(toObject(inputs)));
    const ours = managers(live).some((entry) => entry["manager"] === manager);
    return live && ours ? this.asLive(live, inputs, manager) : undefined;
  }

  private cluster(): Promise<Cluster> {
    this.connected ??= Cluster.connect(this.options.cluster);
    return this.connected;
  }

  private async fillMetadata(request: CheckRequest, apiVersion: string, kind: string, metadata: Props): Promise<Props> {
    const filled: Props = { ...metadata };
    if (filled["name"] === undefined && filled["generateName"] === undefined) {
      const old = request.oldInputs ? propAt(request.oldInputs, "metadata", "name") : undefined;
      filled["name"] = typeof old === "string" ? old : `${request.name}-${randomBytes(4).toString("hex")}`.toLowerCase();
      filled["annotations"] = { ...(isProps(filled["annotations"]) ? filled["annotations"] : {}), [AUTONAMED]: "true" };
    }
    if (filled["namespace"] === undefined) {
      const namespace = this.options.namespace ?? (await this.contextNamespace());
      if (namespace !== undefined && (await this.isNamespaced(apiVersion, kind))) filled["namespace"] = namespace;
    }
    return filled;
  }

  private async contextNamespace(): Promise<string | undefined> {
    try {
      return (await this.cluster()).defaultNamespace;
    } catch {
      return undefined; // whoever has to reach the cluster reports why it cannot
    }
  }

  /** A kind the cluster does not know yet is taken to be namespaced, as most are. */
  private async isNamespaced(apiVersion: string, kind: string): Promise<boolean> {
    try {
      return (await (await this.cluster()).isNamespaced(apiVersion, kind)) ?? true;
    } catch {
      return true;
    }
  }

  private managerOf(urn: string, inputs: Props, outputs: Props): string {
    const named = propAt(inputs, "metadata", "annotations", PATCH_MANAGER);
    if (typeof named === "string" && named !== "") return named;
    const stored = outputs[MANAGER_KEY];
    if (typeof stored === "string") return stored;
    return OWN_MANAGER_PREFIX + createHash("sha256").update(urn).digest("hex").slice(0, 8);
  }

  private forced(object: JsonObject): boolean {
    return this.options.patchForce || annotation(object, PATCH_FORCE) === "true";
  }

  private referenceById({ type, id }: { type: string; id: string }): ObjectReference {
    const at = id.indexOf("/");
    return { ...kindOfType(type), name: id.slice(at + 1), namespace: at < 0 ? undefined : id.slice(0, at) };
  }

  /** Ignored fields are sent as they are in the cluster, so that applying takes them from nobody. */
  private async prepared(cluster: Cluster, request: UpdateRequest): Promise<{ object: JsonObject; force: boolean }> {
    const live = await cluster.read(this.referenceById(request));
    const liveProps = live ? fromJson(live) : {};
    const inputs = isProps(liveProps) ? keepOldAt(request.inputs, liveProps, request.ignoreChanges) : request.inputs;
    const object = toObject(inputs);
    const handover = managers(live).some((entry) => entry["operation"] === "Update" && CLIENT_SIDE_MANAGERS.has(digText(entry, "manager") ?? ""));
    return { object, force: handover || this.forced(object) };
  }

  private async apply(cluster: Cluster, object: JsonObject, manager: string, force: boolean, dryRun = false): Promise<JsonObject> {
    try {
      return await cluster.apply(referenceOf(object), object, { manager, force, dryRun });
    } catch (error) {
      if (!(error instanceof ClusterError) || error.reason !== "Conflict") throw error;
      throw new EngineError(
        `server-side apply field conflict detected: the resource managed by field manager "${manager}" had an apply conflict: ${error.message}. ` +
          `Leave the field to its owner (ignoreChanges), or take it over with the annotation ${PATCH_FORCE}: "true"`,
      );
    }
  }

  private outputsOf(live: JsonObject, inputs: Props, manager: string): Props {
    const props = fromJson(live);
    const marked = markLive(isProps(props) ? props : {}, inputs);
    const own = Object.fromEntries(Object.entries(inputs).filter(([key]) => !key.startsWith("__")));
    return { ...marked, [INPUTS_KEY]: own, [VERSION_KEY]: digText(live, "apiVersion") ?? "", [MANAGER_KEY]: manager };
  }

  private asLive(live: JsonObject, inputs: Props, manager: string): Live {
    const projected = project(inputs, fromJson(live));
    const found = isProps(projected) ? projected : inputs;
    return { id: idOf(live), outputs: this.outputsOf(live, found, manager), inputs: found };
  }

  private async settled(
    cluster: Cluster,
    applied: JsonObject,
    request: Waiting & { inputs: Props },
    manager: string,
    done: string,
  ): Promise<Created> {
    const id = idOf(applied);
    try {
      const ready = await untilReady(cluster, applied, request);
      return { id, outputs: this.outputsOf(ready, request.inputs, manager) };
    } catch (error) {
      const live = (await cluster.read(referenceOf(applied)).catch(() => undefined)) ?? applied;
      const reason = messageOf(error);
      throw new PartialFailure(
        `${describe(referenceOf(applied))} was successfully ${done}, but failed to fully initialize or become live: ${reason}`,
        id,
        this.outputsOf(live, request.inputs, manager),
        [reason],
      );
    }
  }

  /** What the API server would make of it, or its refusal. The inputs stand in where it cannot be asked. */
  private async previewed(request: CreateRequest | UpdateRequest, manager: string, update: UpdateRequest | undefined): Promise<Props> {
    if (containsUnknown(request.inputs)) return unsettled(request.inputs);
    try {
      const cluster = await this.cluster();
      const { object, force } = update ? await this.prepared(cluster, update) : { object: toObject(request.inputs), force: true };
      const live = await this.dryRun(cluster, object, manager, force);
      return this.outputsOf(withoutStatus(live), request.inputs, manager);
    } catch (error) {
      if (error instanceof UnreachableError) {
        request.progress(`not checked by the API server: ${error.message}`);
        return unsettled(request.inputs);
      }
      const missingNamespace = error instanceof ClusterError && error.status === 404 && /^namespaces ".*" not found$/.test(error.message);
      if (missingNamespace) return unsettled(request.inputs);
      throw error;
    }
  }

  /** An object that is to be replaced under its own name cannot be dry-run under it. */
  private async dryRun(cluster: Cluster, object: JsonObject, manager: string, force: boolean): Promise<JsonObject> {
    try {
      return await this.apply(cluster, object, manager, force, true);
    } catch (error) {
      const immutable = force && error instanceof ClusterError && error.status === 422 && error.message.includes("immutable");
      if (!immutable) throw error;
      const metadata = dig(object, "metadata");
      const name = `${referenceOf(object).name.slice(0, 50)}-${randomBytes(3).toString("hex")}`;
      const renamed = { ...object, metadata: { ...(isObject(metadata) ? metadata : {}), name } };
      const live = await this.apply(cluster, renamed, manager, force, true);
      const shown = dig(live, "metadata");
      return { ...live, metadata: { ...(isObject(shown) ? shown : {}), name: referenceOf(object).name } };
    }
  }
}

function withoutStatus(live: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(live).filter(([key]) => key !== "status"));
}

/** Outputs of a preview without an answer: what is asked is known, what the cluster adds is not. */
function unsettled(inputs: Props): Props {
  return { ...inputs, status: UNKNOWN };
}

/** "default" and no namespace are the same place. */
function comparable(inputs: Props): Props {
  const metadata = inputs["metadata"];
  if (!isProps(metadata) || metadata["namespace"] !== undefined) return withoutOwnKeys(inputs);
  return withoutOwnKeys({ ...inputs, metadata: { ...metadata, namespace: "default" } });
}

function withoutOwnKeys(inputs: Props): Props {
  return Object.fromEntries(Object.entries(inputs).filter(([key]) => !key.startsWith("__")));
}

