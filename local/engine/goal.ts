/** What the program asks for: a registration, read from the wire once. */
import type { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb.js";
import type { Struct, Value as ProtoValue } from "google-protobuf/google/protobuf/struct_pb.js";
import { EngineError } from "./errors";
import { parseProviderReference } from "./urn";
import type { CustomTimeouts, HookPoint } from "./state";
import type { Props, Value } from "./value";
import { fromJson, fromStruct } from "./wire";

export interface Goal {
  type: string;
  name: string;
  custom: boolean;
  parent: string;
  properties: Props;
  /** The provider's reference (`urn::id`); empty: the default provider of the package. */
  provider: string;
  providers: Record<string, string>;
  version: string;
  dependencies: string[];
  propertyDependencies: Record<string, string[]>;
  protect: boolean | undefined;
  retainOnDelete: boolean | undefined;
  deletedWith: string;
  replaceWith: string[];
  deleteBeforeReplace: boolean | undefined;
  ignoreChanges: string[];
  replaceOnChanges: string[];
  hideDiffs: string[];
  additionalSecretOutputs: string[];
  aliases: Alias[];
  customTimeouts: CustomTimeouts;
  replacementTrigger: Value | undefined;
  hooks: Partial<Record<HookPoint, string[]>>;
}

export type Alias = { urn: string } | { name: string; type: string; stack: string; project: string; parent: string | undefined; noParent: boolean };

const UNITS: Record<string, number> = { h: 3600, m: 60, s: 1, ms: 0.001, us: 0.000_001, ns: 0.000_000_001 };

/** Go's durations: `1h30m`, `90s`. */
export function seconds(duration: string): number {
  let total = 0;
  for (const [, amount, unit] of duration.matchAll(/(\d+(?:\.\d+)?)(ms|us|ns|h|m|s)/g)) {
    total += Number(amount) * (UNITS[unit ?? ""] ?? 0);
  }
  return total;
}

function timeoutsOf(request: RegisterResourceRequest): CustomTimeouts {
  const timeouts = request.getCustomtimeouts();
  if (!timeouts) return {};
  const create = seconds(timeouts.getCreate());
  const update = seconds(timeouts.getUpdate());
  const remove = seconds(timeouts.getDelete());
  return { ...(create ? { create } : {}), ...(update ? { update } : {}), ...(remove ? { delete: remove } : {}) };
}

function hooksOf(request: RegisterResourceRequest): Goal["hooks"] {
  const hooks = request.getHooks();
  if (!hooks) return {};
  if (hooks.getOnErrorList().length > 0) {
    throw new EngineError(`resource '${request.getName()}' has an onError hook, which the stand-in engine does not cover; install the Pulumi CLI`);
  }
  const all: [HookPoint, string[]][] = [
    ["BeforeCreate", hooks.getBeforeCreateList()],
    ["AfterCreate", hooks.getAfterCreateList()],
    ["BeforeUpdate", hooks.getBeforeUpdateList()],
    ["AfterUpdate", hooks.getAfterUpdateList()],
    ["BeforeDelete", hooks.getBeforeDeleteList()],
    ["AfterDelete", hooks.getAfterDeleteList()],
  ];
  return Object.fromEntries(all.filter(([, names]) => names.length > 0));
}

function aliasesOf(request: RegisterResourceRequest): Alias[] {
  const specs = request.getAliasesList().map((alias): Alias => {
    const spec = alias.getSpec();
    if (!spec) return { urn: alias.getUrn() };
    return {
      name: spec.getName(),
      type: spec.getType(),
      stack: spec.getStack(),
      project: spec.getProject(),
      parent: spec.getParenturn() === "" ? undefined : spec.getParenturn(),
      noParent: spec.getNoparent(),
    };
  });
  return [...request.getAliasurnsList().map((urn) => ({ urn })), ...specs];
}

function triggerOf(value: ProtoValue | undefined): Value | undefined {
  return value ? fromJson(value.toJavaScript()) : undefined;
}

export function readGoal(request: RegisterResourceRequest): Goal {
  if (request.getRemote()) {
    throw new EngineError(`resource '${request.getName()}' (${request.getType()}) is a remote component, which the stand-in engine does not cover; install the Pulumi CLI`);
  }
  if (request.getImportid() !== "") {
    throw new EngineError(`resource '${request.getName()}' is to be imported, which the stand-in engine does not cover; install the Pulumi CLI`);
  }
  const object: Struct | undefined = request.getObject();
  const { props, dependencies: inValues } = fromStruct(object);
  const dependencies = request.getDependenciesList();
  const given = request.getPropertydependenciesMap();
  const propertyDependencies: Record<string, string[]> = {};
  for (const key of Object.keys(props)) {
    const listed = given.getLength() === 0 ? dependencies : (given.get(key)?.getUrnsList() ?? []);
    const urns = new Set([...listed, ...(inValues.get(key) ?? [])]);
    if (urns.size > 0) propertyDependencies[key] = [...urns];
  }
  const providers: Record<string, string> = {};
  request.getProvidersMap().forEach((reference, name) => (providers[name] = reference));
  return {
    type: request.getType(),
    name: request.getName(),
    custom: request.getCustom(),
    parent: request.getParent(),
    properties: props,
    provider: request.getProvider(),
    providers,
    version: request.getVersion(),
    dependencies,
    propertyDependencies,
    protect: request.hasProtect() ? request.getProtect() : undefined,
    retainOnDelete: request.hasRetainondelete() ? request.getRetainondelete() : undefined,
    deletedWith: request.getDeletedwith(),
    replaceWith: request.getReplaceWithList(),
    deleteBeforeReplace:
      request.getDeletebeforereplacedefined() || request.getDeletebeforereplace() ? request.getDeletebeforereplace() : undefined,
    ignoreChanges: request.getIgnorechangesList(),
    replaceOnChanges: request.getReplaceonchangesList(),
    hideDiffs: request.getHidediffsList(),
    additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
    aliases: aliasesOf(request),
    customTimeouts: timeoutsOf(request),
    replacementTrigger: triggerOf(request.getReplacementTrigger()),
    hooks: hooksOf(request),
  };
}

/** Children take over what their parent says, unless they say otherwise. */
export function inherit(goal: Goal, parent: Goal | undefined): Goal {
  if (!parent) return goal;
  const sameKind = parent.provider !== "" && parseProviderReference(parent.provider).urn.includes(`:providers:${goal.type.split(":")[0]}::`);
  return {
    ...goal,
    deletedWith: goal.deletedWith || parent.deletedWith,
    protect: goal.protect ?? parent.protect,
    retainOnDelete: goal.retainOnDelete ?? parent.retainOnDelete,
    provider: goal.provider || (sameKind || !goal.custom ? parent.provider : ""),
    providers: goal.custom ? goal.providers : { ...parent.providers, ...goal.providers },
  };
}
