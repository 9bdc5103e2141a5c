import { isFields, type Fields } from "../../util/json.js";

/**
 * Which lists of a pod template are merged entry by entry, and by which fields of their entries: Kubernetes'
 * own keys, by the types of its OpenAPI document. Every other list is taken whole.
 */
export const mergeKeys = {
  PodSpec: {
    containers: ["name"],
    evictionResponders: ["name"],
    hostAliases: ["ip"],
    imagePullSecrets: ["name"],
    initContainers: ["name"],
    resourceClaims: ["name"],
    schedulingGates: ["name"],
    topologySpreadConstraints: ["topologyKey", "whenUnsatisfiable"],
    volumes: ["name"],
  },
  Container: {
    env: ["name"],
    ports: ["containerPort", "protocol"],
    volumeDevices: ["devicePath"],
    volumeMounts: ["mountPath"],
  },
} as const satisfies Record<string, Record<string, readonly string[]>>;

/** The types that a template consists of, as far as they differ in how they are merged. */
type Kind = "PodTemplateSpec" | "PodSpec" | "Container" | "Lifecycle" | "other";

const kinds: Partial<Record<Kind, Record<string, Kind>>> = {
  PodTemplateSpec: { spec: "PodSpec" },
  PodSpec: { containers: "Container", initContainers: "Container" },
  Container: { lifecycle: "Lifecycle" },
};

/**
 * What is taken whole, because half of one and half of another would be neither: of a probe with two kinds of
 * questions, a variable with two sources, or a limit that one has left out on purpose.
 */
const wholes: Partial<Record<Kind, readonly string[]>> = {
  PodSpec: ["hostAliases", "resourceClaims", "topologySpreadConstraints", "volumes"],
  Container: [
    "env",
    "livenessProbe",
    "readinessProbe",
    "resources",
    "startupProbe",
    "volumeDevices",
    "volumeMounts",
  ],
  Lifecycle: ["postStart", "preStop"],
};

/** What the API server fills in, of fields that are keys. */
const keyDefaults: Fields = { protocol: "TCP", whenUnsatisfiable: "DoNotSchedule" };

/** applied: what a patch removes is gone. composed: the removal itself is kept, for what the patches go over. */
type Mode = "applied" | "composed";

/**
 * A pod template over another one, by the rules of `kubectl patch`: maps are merged, lists by their keys or not
 * at all, null removes a field, `$patch: delete` an entry, and `$patch: replace` keeps nothing of what was.
 */
export function applyTemplate(base: Fields, patch: Fields): Fields {
  return mergeFields(base, patch, "PodTemplateSpec", "applied");
}

/** Both as one patch: what it removes, it removes from whatever it is applied to. */
export function composeTemplates(first: Fields, second: Fields): Fields {
  return mergeFields(first, second, "PodTemplateSpec", "composed");
}

const directive = "$patch";

function mergeFields(base: Fields, patch: Fields, kind: Kind, mode: Mode): Fields {
  if (patch[directive] === "replace") return mode === "composed" ? patch : clearedFields(patch);
  const merged = new Map(Object.entries(base));
  for (const [name, value] of Object.entries(patch)) {
    if (value === null && mode === "applied") merged.delete(name);
    else merged.set(name, mergeField(merged.get(name), value, { kind, name, mode }));
  }
  return Object.fromEntries(merged);
}

interface At {
  kind: Kind;
  name: string;
  mode: Mode;
}

function mergeField(base: unknown, value: unknown, { kind, name, mode }: At): unknown {
  const isWhole = wholes[kind]?.includes(name) === true;
  const inner = kinds[kind]?.[name] ?? "other";
  const keys = keysOf(kind, name);
  // What the first of two patches removes, the second does not bring back.
  if (base === null && mode === "composed" && (keys !== undefined || !isWhole)) return renewed(value);
  if (Array.isArray(value) && keys !== undefined)
    return mergeLists(
      isList(base) ? base : [],
      value,
      (before, entry) =>
        isWhole || before === undefined ? resolved(entry, mode) : mergeFields(before, entry, inner, mode),
      { keys, mode },
    );
  if (isFields(value) && !isWhole) return mergeFields(isFields(base) ? base : {}, value, inner, mode);
  return resolved(value, mode);
}

function keysOf(kind: Kind, name: string): readonly string[] | undefined {
  const ofKind: Record<string, readonly string[]> =
    kind === "PodSpec" || kind === "Container" ? mergeKeys[kind] : {};
  return ofKind[name];
}

/** Entries that only the base has come first, then those of the patch in its order: of containers, order counts. */
function mergeLists(
  base: Fields[],
  patch: unknown[],
  merge: (before: Fields | undefined, entry: Fields) => unknown,
  { keys, mode }: { keys: readonly string[]; mode: Mode },
): unknown[] {
  const entries = patch.filter(isFields);
  if (entries.some(replacesAll))
    return mode === "composed" ? patch : entries.filter((entry) => !replacesAll(entry)).map(cleared);
  const keyOf = (entry: Fields) => JSON.stringify(keys.map((key) => entry[key] ?? keyDefaults[key] ?? null));
  const before = new Map(base.map((entry) => [keyOf(entry), entry]));
  const after = new Map<string, unknown>();
  for (const entry of entries) {
    const key = keyOf(entry);
    after.delete(key);
    if (entry[directive] !== "delete") after.set(key, merge(before.get(key), entry));
    else if (mode === "composed") after.set(key, entry);
    before.delete(key);
  }
  return [...before.values(), ...after.values()];
}

function renewed(value: unknown): unknown {
  if (Array.isArray(value)) return [{ [directive]: "replace" }, ...(value as unknown[])];
  return isFields(value) ? { ...value, [directive]: "replace" } : value;
}

/** An entry that is nothing but the order to keep no other one. */
function replacesAll(entry: Fields): boolean {
  return entry[directive] === "replace" && Object.keys(entry).length === 1;
}

function isList(value: unknown): value is Fields[] {
  return Array.isArray(value) && value.every(isFields);
}

function resolved(value: unknown, mode: Mode): unknown {
  return mode === "composed" ? value : cleared(value);
}

/** Without orders to remove something: nothing is left to remove it from. */
function cleared(value: unknown): unknown {
  if (Array.isArray(value))
    return value
      .filter((each) => !isFields(each) || each[directive] === undefined)
      .map((each: unknown) => cleared(each));
  return isFields(value) ? clearedFields(value) : value;
}

function clearedFields(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([name, each]) => name !== directive && each !== null)
      .map(([name, each]) => [name, cleared(each)]),
  );
}
