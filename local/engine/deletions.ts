/** What has to go, and in which order: nothing before what depends on it. */
import { EngineError } from "./errors";
import type { Step } from "./events";
import type { Journal } from "./journal";
import { type Operations, resourceOf } from "./operations";
import type { Provider } from "./providers/provider";
import type { Slots } from "./slots";
import type { ResourceState } from "./state";
import { isDefaultProvider, nameOf, parseProviderReference } from "./urn";
import { mapProps, UNKNOWN } from "./value";

export interface DeletionsOptions {
  operations: Operations;
  journal: Journal;
  slots: Slots;
  /** Undefined for what exists only in the state: components, providers, external resources. */
  providerOf(state: ResourceState): Provider | undefined;
  /** Its deletion is the end of its replacement. */
  wasReplaced(state: ResourceState): boolean;
  stopped(): boolean;
  fail(error: unknown, urn: string): void;
}

/** Every URN a resource needs to exist. */
export function needs(state: ResourceState): Set<string> {
  const urns = [
    ...state.dependencies,
    ...Object.values(state.propertyDependencies).flat(),
    state.parent,
    state.deletedWith,
    state.provider === "" ? "" : parseProviderReference(state.provider).urn,
  ];
  return new Set(urns.filter((urn) => urn !== ""));
}

export function deletionStep(state: ResourceState): Step {
  const { urn, type } = state;
  return { op: "delete", urn, type, name: nameOf(urn), diff: [], reasons: [], visibility: isDefaultProvider(urn) ? "hidden" : "counted" };
}

export class Deletions {
  private readonly condemned = new Set<string>();

  constructor(private readonly options: DeletionsOptions) {}

  /** Deletes all of them, as many at a time as the dependencies allow. The first failure stops what has not started. */
  async run(states: readonly ResourceState[]): Promise<void> {
    if (this.refuseProtected(states)) return;
    states.forEach((state) => this.condemned.add(state.urn));
    const done = new Map<ResourceState, Promise<void>>();
    // In reverse order of the state, what depends on a resource comes before it.
    for (const state of [...states].reverse()) {
      const dependents = [...done].filter(([other]) => needs(other).has(state.urn)).map(([, finished]) => finished);
      done.set(state, this.deleteAfter(dependents, state));
    }
    await Promise.all(done.values());
  }

  async deleteForReplacement(state: ResourceState, step: Step): Promise<void> {
    this.condemned.add(state.urn);
    await this.options.operations.delete(state, this.providerToCall(state), step, () => {
      state.pendingReplacement = true;
    });
  }

  /** The resources that a replacement of `root` would replace too, in the order of the state. */
  async replacedWith(
    root: ResourceState,
    base: readonly ResourceState[],
    isSettled: (state: ResourceState) => boolean,
  ): Promise<ResourceState[]> {
    const going = new Set([root.urn]);
    const found: ResourceState[] = [];
    for (const state of base) {
      if (state === root || state.delete || !state.custom || isSettled(state)) continue;
      if (!(await this.goesWith(state, going))) continue;
      going.add(state.urn);
      found.push(state);
    }
    return found;
  }

  private async goesWith(state: ResourceState, going: ReadonlySet<string>): Promise<boolean> {
    if (![...needs(state)].some((urn) => going.has(urn))) return false;
    if (going.has(state.deletedWith) || (state.provider !== "" && going.has(parseProviderReference(state.provider).urn))) return true;
    const provider = this.options.providerOf(state);
    if (!provider) return false;
    const inputs = mapProps(state.inputs, (value, key) =>
      state.propertyDependencies[key]?.some((urn) => going.has(urn)) === true ? UNKNOWN : value,
    );
    const diff = await provider.diff({ ...resourceOf(state), id: state.id, oldInputs: state.inputs, oldOutputs: state.outputs, inputs });
    return diff.replaces.length > 0;
  }

  /** The real engine finds out one by one, in its preview: nothing is deleted either. */
  private refuseProtected(states: readonly ResourceState[]): boolean {
    const held = states.filter((state) => state.protect);
    for (const { urn } of held) {
      const message = `resource "${urn}" cannot be deleted because it is protected; nothing was deleted. To unprotect it, remove the \`protect\` flag from it in the program and run \`pulumi up\`, or: pulumi state unprotect '${urn}'`;
      this.options.fail(new EngineError(message), urn);
    }
    return held.length > 0;
  }

  private async deleteAfter(dependents: readonly Promise<void>[], state: ResourceState): Promise<void> {
    await Promise.all(dependents);
    await this.options.slots.use(async () => {
      if (this.options.stopped()) return;
      const plain = deletionStep(state);
      const step: Step = this.options.wasReplaced(state) ? { ...plain, visibility: "shown" } : plain;
      try {
        await this.options.operations.step(step, () =>
          this.options.operations.delete(state, this.providerToCall(state), step, () => { this.options.journal.drop(state); }),
        );
      } catch (error) {
        this.options.fail(error, state.urn);
      }
    });
  }

  private providerToCall(state: ResourceState): Provider | undefined {
    // Deleted by a run that was interrupted before it could create the replacement.
    if (state.pendingReplacement || state.retainOnDelete || this.condemned.has(state.deletedWith)) return undefined;
    return this.options.providerOf(state);
  }
}
