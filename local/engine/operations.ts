/** One operation on one resource: hooks, the provider's call, the record of both, and what is said about it. */
import type { Events, Step } from "./events";
import type { Hooks } from "./hooks";
import type { Journal } from "./journal";
import { PartialFailure, type Provider, type Resource } from "./providers/provider";
import type { ResourceState } from "./state";
import { nameOf } from "./urn";
import { markSecretKeys, type Props } from "./value";

export interface Setting {
  preview: boolean;
  journal: Journal;
  hooks: Hooks;
  events: Events;
  signal: AbortSignal;
}

const now = (): string => new Date().toISOString();

export const resourceOf = ({ urn, type }: ResourceState): Resource => ({ urn, type, name: nameOf(urn) });

export class Operations {
  constructor(private readonly setting: Setting) {}

  /** Runs the work as one visible step. */
  async step<T>(step: Step, work: () => Promise<T>): Promise<T> {
    const { events } = this.setting;
    const start = performance.now();
    events.started(step);
    try {
      const result = await work();
      events.done(step, performance.now() - start);
      return result;
    } catch (error) {
      events.failed(step, performance.now() - start);
      throw error;
    }
  }

  same(state: ResourceState, old: ResourceState): void {
    state.id = old.id;
    state.outputs = markSecretKeys(old.outputs, state.additionalSecretOutputs);
    if (old.created !== undefined) state.created = old.created;
    if (old.modified !== undefined) state.modified = old.modified;
    this.setting.journal.settle(state, old);
  }

  /** `replaced`: what it takes the place of in the record; undefined when the old one is still to be deleted. */
  async create(state: ResourceState, provider: Provider | undefined, step: Step, settled: () => void): Promise<void> {
    const { hooks } = this.setting;
    await hooks.run("BeforeCreate", state.hooks.BeforeCreate, undefined, state);
    state.created = state.modified = now();
    await this.record("creating", state, settled, async () => {
      if (!provider) return;
      const created = await provider.create({
        ...resourceOf(state),
        ...this.circumstances(step, state.customTimeouts.create),
        inputs: state.inputs,
      });
      state.id = created.id;
      this.take(state, created.outputs);
    });
    await hooks.run("AfterCreate", state.hooks.AfterCreate, undefined, state);
  }

  async update(state: ResourceState, old: ResourceState, provider: Provider | undefined, step: Step): Promise<void> {
    const { hooks, journal } = this.setting;
    state.id = old.id;
    if (old.created !== undefined) state.created = old.created;
    state.modified = now();
    await hooks.run("BeforeUpdate", state.hooks.BeforeUpdate, old, state);
    await this.record("updating", state, () => { journal.settle(state, old); }, async () => {
      if (!provider) {
        state.outputs = old.outputs;
        return;
      }
      const outputs = await provider.update({
        ...resourceOf(state),
        ...this.circumstances(step, state.customTimeouts.update),
        id: old.id,
        oldInputs: old.inputs,
        oldOutputs: old.outputs,
        inputs: state.inputs,
        ignoreChanges: state.ignoreChanges,
      });
      this.take(state, outputs);
    });
    await hooks.run("AfterUpdate", state.hooks.AfterUpdate, old, state);
  }

  /** `provider` undefined: nothing outside the state has to go. */
  async delete(old: ResourceState, provider: Provider | undefined, step: Step, settled: () => void): Promise<void> {
    const { hooks, preview } = this.setting;
    await hooks.run("BeforeDelete", old.hooks.BeforeDelete, old, undefined);
    await this.record("deleting", old, settled, async () => {
      if (!provider || preview) return;
      await provider.delete({
        ...resourceOf(old),
        ...this.circumstances(step, old.customTimeouts.delete),
        id: old.id,
        oldInputs: old.inputs,
        oldOutputs: old.outputs,
      });
    });
    await hooks.run("AfterDelete", old.hooks.AfterDelete, old, undefined);
  }

  private take(state: ResourceState, outputs: Props): void {
    state.outputs = markSecretKeys(outputs, state.additionalSecretOutputs);
  }

  private circumstances(step: Step, timeout: number | undefined) {
    const { preview, events, signal } = this.setting;
    return { preview, timeoutSeconds: timeout ?? 0, signal, progress: (text: string) => { events.progress(step, text); } };
  }

  /** Saved before it starts and when it has ended; a half-done resource is kept with the reasons. */
  private async record(
    type: "creating" | "updating" | "deleting",
    state: ResourceState,
    settled: () => void,
    work: () => Promise<void>,
  ): Promise<void> {
    if (this.setting.preview) {
      await work();
      settled();
      return;
    }
    const end = this.setting.journal.begin(type, state);
    try {
      await work();
    } catch (error) {
      if (error instanceof PartialFailure) {
        state.id = error.id;
        this.take(state, error.outputs);
        state.initErrors = error.reasons;
        end(settled);
      } else {
        end();
      }
      throw error;
    }
    end(settled);
  }
}
