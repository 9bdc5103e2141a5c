/** A run of the program: every registration is compared with the state and brought about, in the program's own order. */
import { randomUUID } from "node:crypto";
import type { ReadResourceRequest, RegisterResourceRequest, ResourceInvokeRequest } from "@pulumi/pulumi/proto/resource_pb.js";
import { aliasUrns } from "./aliases";
import type { ResolvedConfig } from "./config";
import { Deletions, needs } from "./deletions";
import { diffProps } from "./diff";
import { EngineError, messageOf } from "./errors";
import type { Events, Operation, Step } from "./events";
import { type Goal, inherit, readGoal } from "./goal";
import type { Hooks } from "./hooks";
import type { Journal } from "./journal";
import { Operations, resourceOf } from "./operations";
import { keepOldAt } from "./paths";
import { completeDiff, type Decision, decide } from "./plan";
import type { PolicyPacks } from "./policyPacks";
import type { CheckFailure, Provider, ProviderDiff } from "./providers/provider";
import type { ProviderRegistry } from "./providers/registry";
import { Slots } from "./slots";
import { newState, type ResourceState } from "./state";
import type { Targets } from "./targets";
import {
  DYNAMIC_PACKAGE, isDefaultProvider, isProviderType, makeUrn, nameOf, packageOf, providerReference,
  PROVIDER_TYPE_PREFIX, ROOT_STACK_TYPE,
} from "./urn";
import { equal, type Props, Secret } from "./value";
import { fromStruct } from "./wire";

export interface DeploymentOptions {
  project: string;
  stack: string;
  preview: boolean;
  parallel: number;
  targets: Targets;
  config: ResolvedConfig;
  providers: ProviderRegistry;
  policies: PolicyPacks;
  hooks: Hooks;
  events: Events;
  journal: Journal;
  /** The resources of the last snapshot, in its order. */
  base: readonly ResourceState[];
  signal: AbortSignal;
}

/** Nothing more happens after the first failure: what asks for more waits until the program is ended. */
const never = (): Promise<never> => new Promise(() => undefined);

/** It was not begun, because something else had failed. */
class Stopped extends Error {}

export function configProps(config: ResolvedConfig, prefix = ""): Props {
  return Object.fromEntries(
    [...config]
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, entry]) => [key.slice(prefix.length), entry.secret ? new Secret(entry.value) : entry.value]),
  );
}

export class Deployment {
  readonly hooks: Hooks;
  /** Settles at the first failure. */
  readonly failure: Promise<void>;
  private reportFailure: () => void = () => undefined;
  private failed = false;
  /** By a policy. A preview goes on, to find all of them. */
  private forbidden = false;

  private readonly goals = new Map<string, Goal>();
  private readonly settled = new Map<string, ResourceState>();
  private readonly replaced = new Set<string>();
  /** Not made, because it is no target. */
  private readonly skipped = new Set<string>();
  private readonly oldByUrn: Map<string, ResourceState>;
  private readonly defaults = new Map<string, ResourceState>();
  private readonly underWay = new Set<Promise<unknown>>();
  private readonly slots: Slots;
  private readonly operations: Operations;
  private readonly deletions: Deletions;

  constructor(private readonly options: DeploymentOptions) {
    this.hooks = options.hooks;
    this.failure = new Promise((resolve) => (this.reportFailure = resolve));
    this.oldByUrn = new Map(options.base.filter((state) => !state.delete).map((state) => [state.urn, state]));
    this.slots = new Slots(options.parallel);
    this.operations = new Operations(options);
    this.deletions = new Deletions({
      operations: this.operations,
      journal: options.journal,
      slots: this.slots,
      providerOf: (state) => this.providerOf(state),
      wasReplaced: (state) => this.replaced.has(state.urn),
      stopped: () => this.failed,
      fail: (error, urn) => { this.fail(error, urn); },
    });
  }

  get hasFailed(): boolean {
    return this.failed;
  }

  fail(error: unknown, urn = ""): void {
    this.options.events.diagnostic({ severity: "error", message: messageOf(error), ...(urn === "" ? {} : { urn }) });
    this.stop();
  }

  /** Nothing new starts; why is said elsewhere. */
  stop(): void {
    this.failed = true;
    this.reportFailure();
  }

  register(request: RegisterResourceRequest): Promise<ResourceState> {
    const urn = this.urnOf(request.getParent(), request.getType(), request.getName());
    return this.track(urn, async () => {
      const goal = inherit(readGoal(request), this.goals.get(request.getParent()));
      if (this.goals.has(urn)) throw new EngineError(`duplicate resource URN '${urn}'; try giving it a unique name`);
      this.goals.set(urn, goal);
      return this.reconcile(urn, goal);
    });
  }

  registerOutputs(urn: string, outputs: Props): void {
    const state = this.settled.get(urn);
    if (!state) throw new EngineError(`outputs for '${urn}', which has not been registered`);
    if (equal(state.outputs, outputs)) return;
    state.outputs = outputs;
    if (!this.options.preview) this.options.journal.write();
  }

  read(request: ReadResourceRequest): Promise<ResourceState> {
    const type = request.getType();
    const urn = this.urnOf(request.getParent(), type, request.getName());
    return this.track(urn, async () => {
      const state = newState(urn, type, true);
      state.id = request.getId();
      state.external = true;
      state.parent = request.getParent();
      state.inputs = fromStruct(request.getProperties()).props;
      state.dependencies = request.getDependenciesList();
      state.additionalSecretOutputs = request.getAdditionalsecretoutputsList();
      const { reference, provider } = this.providerFor(request.getProvider(), type, request.getVersion());
      state.provider = reference;
      await this.operations.step(this.stepFor("read", state, undefined), async () => {
        const live = await provider.read({ ...resourceOf(state), id: state.id, inputs: state.inputs, outputs: {} });
        if (!live) throw new EngineError(`resource '${state.id}' of type ${type} does not exist`);
        state.outputs = live.outputs;
      });
      this.settle(state, this.oldByUrn.get(urn));
      return state;
    });
  }

  invoke(request: ResourceInvokeRequest): Promise<Props> {
    return this.track("", async () => {
      const token = request.getTok();
      const { provider } = this.providerFor(request.getProvider(), token, request.getVersion());
      return provider.invoke(token, fromStruct(request.getArgs()).props);
    });
  }

  /** Everything is registered: what was not asked for goes. */
  async complete(): Promise<void> {
    await this.settleDown();
    if (this.failed) return;
    try {
      this.refuseMissingTargets();
      await this.deletions.run(this.targetedOf(this.options.journal.remaining()));
      const isForbidden = await this.options.policies.forbidStack([...this.settled.values()], (provider) => this.inputsOf(provider));
      if (isForbidden || this.forbidden) this.stop();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Until no operation is under way. */
  async settleDown(): Promise<void> {
    while (this.underWay.size > 0) await Promise.allSettled([...this.underWay]);
  }

  /** The root stack's outputs, as they are or will be. */
  stackOutputs(): Props {
    return [...this.settled.values()].find((state) => state.type === ROOT_STACK_TYPE)?.outputs ?? {};
  }

  private urnOf(parent: string, type: string, name: string): string {
    return makeUrn(this.options.stack, this.options.project, parent, type, name);
  }

  private async track<T>(urn: string, work: () => Promise<T>): Promise<T> {
    const running = this.slots.use(async () => {
      if (this.failed) throw new Stopped();
      return work();
    });
    this.underWay.add(running);
    try {
      return await running;
    } catch (error) {
      if (!(error instanceof Stopped)) this.fail(error, urn);
    } finally {
      this.underWay.delete(running);
    }
    return never();
  }

  private settle(state: ResourceState, old?: ResourceState): void {
    this.options.journal.settle(state, old);
    this.settled.set(state.urn, state);
  }

  private oldOf(urn: string, goal: Goal | undefined): ResourceState | undefined {
    const direct = this.oldByUrn.get(urn);
    if (direct || !goal) return direct;
    const { project, stack } = this.options;
    for (const alias of aliasUrns(urn, goal, this.goals, { project, stack })) {
      const old = this.oldByUrn.get(alias);
      if (old) return old;
    }
    return undefined;
  }

  private stateFor(urn: string, goal: Goal): ResourceState {
    return {
      ...newState(urn, goal.type, goal.custom),
      inputs: goal.properties,
      parent: goal.parent,
      dependencies: goal.dependencies,
      propertyDependencies: goal.propertyDependencies,
      protect: goal.protect ?? false,
      retainOnDelete: goal.retainOnDelete ?? false,
      deletedWith: goal.deletedWith,
      replaceWith: goal.replaceWith,
      additionalSecretOutputs: goal.additionalSecretOutputs,
      ignoreChanges: goal.ignoreChanges,
      replaceOnChanges: goal.replaceOnChanges,
      hideDiff: goal.hideDiffs,
      customTimeouts: goal.customTimeouts,
      hooks: goal.hooks,
      ...(goal.replacementTrigger === undefined ? {} : { replacementTrigger: goal.replacementTrigger }),
    };
  }

  private stepFor(op: Operation, state: ResourceState, old: ResourceState | undefined, reasons: string[] = []): Step {
    const { urn, type, hideDiff } = state;
    const diff = op === "update" || op === "replace" ? diffProps(old?.inputs ?? {}, state.inputs, hideDiff) : [];
    return { op, urn, type, name: nameOf(urn), diff, reasons, visibility: isDefaultProvider(urn) ? "hidden" : "counted" };
  }

  private async reconcile(urn: string, goal: Goal): Promise<ResourceState> {
    const old = this.oldOf(urn, goal);
    const state = this.stateFor(urn, goal);
    if (!this.isTargeted(state, goal)) return this.leave(state, old);
    if (old && goal.ignoreChanges.length > 0) state.inputs = keepOldAt(goal.properties, old.inputs, goal.ignoreChanges);
    const provider = this.attachProvider(state, goal, old);
    const given = state.inputs;
    state.inputs = await this.checked(state, given, old?.inputs, provider);
    await this.askPolicies(state);
    const decision = decide(old, { ...goal, inputs: state.inputs, forced: this.forcedReplacement(state) }, await this.diff(state, old, provider));
    await this.carryOut(decision, state, old, provider, given);
    if (isProviderType(state.type)) this.options.providers.configure(urn, state.inputs);
    this.settled.set(urn, state);
    return state;
  }

  /** Providers and the stack itself belong to every target. */
  private isTargeted(state: ResourceState, { provider }: Goal): boolean {
    const { targets } = this.options;
    const included = targets.include(state.urn, needs({ ...state, provider })) || isProviderType(state.type) || state.type === ROOT_STACK_TYPE;
    const skipped = [...needs(state)].find((urn) => this.skipped.has(urn));
    if (included && skipped !== undefined) throw new EngineError(`Resource '${state.urn}' depends on '${skipped}' which was not specified in --target list.`);
    return included;
  }

  /** It stays as it is, or does not come to be. */
  private async leave(state: ResourceState, old: ResourceState | undefined): Promise<ResourceState> {
    if (!old) {
      this.skipped.add(state.urn);
      this.settled.set(state.urn, state);
      return state;
    }
    const same = { ...old };
    await this.operations.step(this.stepFor("same", same, old), () => {
      this.settle(same, old);
      return Promise.resolve();
    });
    return same;
  }

  private refuseMissingTargets(): void {
    const missing = this.options.targets.missing([...this.goals.keys(), ...this.oldByUrn.keys()]);
    if (missing.length === 0) return;
    throw new EngineError(missing.map((target) => `Target '${target}' could not be found in the stack. Did you forget to escape $ in your shell?`).join("\n"));
  }

  /** What the program does not ask for any more goes only where it is a target. */
  private targetedOf(remaining: readonly ResourceState[]): ResourceState[] {
    const going = remaining.filter((state) => this.options.targets.include(state.urn, needs(state)));
    const urns = new Set(going.map(({ urn }) => urn));
    for (const state of remaining) {
      if (going.includes(state) || ![...needs(state)].some((urn) => urns.has(urn))) continue;
      throw new EngineError(`Resource '${state.urn}' will be destroyed but was not specified in --target list.\nEither include resource in --target list or pass --target-dependents to proceed.`);
    }
    return going;
  }

  private forcedReplacement(state: ResourceState): string[] {
    const withReplaced = state.replaceWith.filter((urn) => this.replaced.has(urn)).map(() => "replaceWith");
    return this.replaced.has(state.deletedWith) ? [...withReplaced, "deletedWith"] : withReplaced;
  }

  private async checked(state: ResourceState, inputs: Props, oldInputs: Props | undefined, provider: Provider | undefined): Promise<Props> {
    if (!provider) return inputs;
    const result = await provider.check({ ...resourceOf(state), oldInputs, inputs });
    if (result.failures.length > 0) throw new EngineError(describeFailures(state, result.failures));
    return result.inputs;
  }

  /** In an update, nothing of what is forbidden begins. */
  private async askPolicies(state: ResourceState): Promise<void> {
    if (!(await this.options.policies.forbid(state, (provider) => this.inputsOf(provider)))) return;
    this.forbidden = true;
    if (this.options.preview) return;
    this.stop();
    throw new Stopped();
  }

  private async diff(state: ResourceState, old: ResourceState | undefined, provider: Provider | undefined): Promise<ProviderDiff> {
    if (!old) return { changes: "none", replaces: [], deleteBeforeReplace: false };
    const answer = await provider?.diff({
      ...resourceOf(state),
      id: old.id,
      oldInputs: old.inputs,
      oldOutputs: old.outputs,
      inputs: state.inputs,
    });
    return completeDiff(answer, old.inputs, state.inputs);
  }

  private async carryOut(
    decision: Decision,
    state: ResourceState,
    old: ResourceState | undefined,
    provider: Provider | undefined,
    given: Props,
  ): Promise<void> {
    const { journal } = this.options;
    if (decision.op === "create" || !old) {
      const step = this.stepFor("create", state, undefined);
      await this.operations.step(step, () => this.create(state, provider, step, () => { journal.settle(state); }));
      return;
    }
    if (decision.op === "same") {
      await this.operations.step(this.stepFor("same", state, old), () => {
        this.operations.same(state, old);
        return Promise.resolve();
      });
      return;
    }
    if (decision.op === "update") {
      const step = this.stepFor("update", state, old);
      await this.operations.step(step, () => this.operations.update(state, old, provider, step));
      return;
    }
    await this.replace(decision, state, old, provider, given);
  }

  private async replace(
    decision: Extract<Decision, { op: "replace" }>,
    state: ResourceState,
    old: ResourceState,
    provider: Provider | undefined,
    given: Props,
  ): Promise<void> {
    const { journal } = this.options;
    if (state.protect && old.protect) {
      throw new EngineError(`unable to replace resource '${state.urn}' as it is marked for protection; remove the \`protect\` flag from the resource and run \`up\` to replace it`);
    }
    this.replaced.add(state.urn);
    // Nothing is carried over from what is to go.
    state.inputs = await this.checked(state, given, undefined, provider);
    const step = this.stepFor("replace", state, old, decision.reasons);
    await this.operations.step(step, async () => {
      if (decision.deleteBeforeReplace) {
        await this.deleteFirst(old, step);
        await this.create(state, provider, step, () => { journal.settle(state, old); });
        return;
      }
      await this.create(state, provider, step, () => {
        journal.settle(state);
        old.delete = true;
      });
    });
  }

  /** Explicit names cannot be there twice: what depends on the old one and would be replaced with it goes first, then it. */
  private async deleteFirst(old: ResourceState, step: Step): Promise<void> {
    const dependents = await this.deletions.replacedWith(old, this.options.base, (state) => this.settled.has(state.urn));
    for (const state of [...dependents.reverse(), old]) {
      if (state.pendingReplacement) continue;
      if (state !== old && state.protect) {
        throw new EngineError(`unable to replace resource '${state.urn}' as part of replacing '${old.urn}' as it is marked for protection; remove its \`protect\` flag and run \`up\` first`);
      }
      await this.deletions.deleteForReplacement(state, step);
    }
  }

  private create(state: ResourceState, provider: Provider | undefined, step: Step, settled: () => void): Promise<void> {
    // A provider resource is its configuration: creating it gives it an id and nothing else.
    if (isProviderType(state.type)) {
      state.id = this.options.preview ? "" : randomUUID();
      state.outputs = state.inputs;
      return this.operations.create(state, undefined, step, settled);
    }
    return this.operations.create(state, provider, step, settled);
  }

  private attachProvider(state: ResourceState, goal: Goal, old: ResourceState | undefined): Provider | undefined {
    if (!goal.custom) return undefined;
    if (isProviderType(goal.type)) {
      // The real engine keeps notes of its own beside a provider's settings.
      const notes = old?.inputs["__internal"];
      if (goal.version !== "") state.inputs = { ...state.inputs, version: goal.version };
      if (notes !== undefined) state.inputs = { ...state.inputs, __internal: notes };
      return undefined;
    }
    const inherited = goal.providers[packageOf(goal.type)] ?? this.goals.get(goal.parent)?.providers[packageOf(goal.type)];
    const { reference, provider } = this.providerFor(goal.provider || (inherited ?? ""), goal.type, goal.version);
    state.provider = reference;
    return provider;
  }

  private providerFor(reference: string, type: string, version: string): { reference: string; provider: Provider } {
    const used = reference === "" ? this.defaultProvider(packageOf(type), version) : reference;
    return { reference: used, provider: this.options.providers.get(used, (urn) => this.inputsOf(urn)) };
  }

  private providerOf(state: ResourceState): Provider | undefined {
    if (!state.custom || state.external || isProviderType(state.type)) return undefined;
    return this.options.providers.get(state.provider, (urn) => this.inputsOf(urn));
  }

  private inputsOf(urn: string): Props | undefined {
    return (this.settled.get(urn) ?? this.oldByUrn.get(urn))?.inputs;
  }

  /** The provider nobody wrote down, configured by the stack's `<package>:` settings; recorded as the real engine does. */
  private defaultProvider(name: string, version: string): string {
    const suffix = version === "" ? "" : `_${version.replace(/[^A-Za-z0-9]/g, "_")}`;
    const urn = this.urnOf("", PROVIDER_TYPE_PREFIX + name, `default${suffix}`);
    const known = this.defaults.get(urn);
    if (known) return providerReference(urn, known.id);
    const settings = configProps(this.options.config, name === DYNAMIC_PACKAGE ? "" : `${name}:`);
    const state = newState(urn, PROVIDER_TYPE_PREFIX + name, true);
    state.inputs = version === "" ? settings : { ...settings, version };
    state.outputs = state.inputs;
    const old = this.oldByUrn.get(urn);
    state.id = old?.id ?? randomUUID();
    this.options.providers.configure(urn, state.inputs);
    this.defaults.set(urn, state);
    this.settle(state, old);
    return providerReference(urn, state.id);
  }
}

function describeFailures(state: ResourceState, failures: readonly CheckFailure[]): string {
  const list = failures.map(({ property, reason }) => (property === "" ? `\n  - ${reason}` : `\n  - ${property}: ${reason}`));
  return `${state.type} resource '${nameOf(state.urn)}' has ${failures.length === 1 ? "a problem" : `${failures.length} problems`}:${list.join("")}`;
}

