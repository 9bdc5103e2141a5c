/** One run of the engine on one stack: preview, up, refresh or destroy, from reading the state to its last save. */
import type { Backend } from "./backend";
import type { ResolvedConfig } from "./config";
import type { Crypter } from "./crypto";
import { configProps, Deployment } from "./deployment";
import { Deletions, deletionStep } from "./deletions";
import { diffProps } from "./diff";
import { EngineError, messageOf } from "./errors";
import type { Events, Step } from "./events";
import { Hooks } from "./hooks";
import { Journal } from "./journal";
import { Operations, resourceOf } from "./operations";
import { PolicyPacks } from "./policyPacks";
import { Program } from "./program";
import type { Project } from "./project";
import type { Provider } from "./providers/provider";
import { ProviderRegistry } from "./providers/registry";
import { serve, type Session } from "./servers";
import { Slots } from "./slots";
import { type PendingOperation, readDeployment, type ResourceState, type Snapshot, writeDeployment } from "./state";
import type { Targets } from "./targets";
import { isProviderType, nameOf, packageOf } from "./urn";
import { equal, markSecretKeys, type Props } from "./value";

export const ORGANIZATION = "organization";

export interface RunOptions {
  project: Project;
  stack: string;
  backend: Backend;
  crypter: Promise<Crypter>;
  config: ResolvedConfig;
  env: Record<string, string>;
  preview: boolean;
  parallel: number;
  targets: Targets;
  /** Folders of policy packs. */
  policyPacks: readonly string[];
  events: Events;
  signal: AbortSignal;
}

interface Prepared {
  snapshot: Snapshot;
  journal: Journal;
  registry: ProviderRegistry;
  hooks: Hooks;
}

export class Run {
  private engineAddress = "";
  private readonly hooks: Hooks;
  private readonly registry: ProviderRegistry;

  constructor(private readonly options: RunOptions) {
    const { project, stack, env, events, config } = options;
    this.hooks = new Hooks(options.preview, (message, urn) => { events.diagnostic({ severity: "warning", message, urn }); });
    this.registry = new ProviderRegistry({
      directory: project.directory,
      env: {
        ...env,
        PULUMI_NODEJS_PROJECT: project.name,
        PULUMI_NODEJS_STACK: stack,
        PULUMI_NODEJS_ORGANIZATION: ORGANIZATION,
        PULUMI_NODEJS_ROOT_DIRECTORY: project.directory,
      },
      engineAddress: () => this.engineAddress,
      config: configProps(config),
      log: (message) => { events.diagnostic({ severity: "info", message }); },
    });
  }

  /** Runs the program; returns the outputs of its stack. Throws nothing for what the program did wrong: `failed` says so. */
  async program(): Promise<{ failed: boolean; outputs: Props }> {
    const { project, stack, config, preview, parallel, targets, events, env } = this.options;
    const values = Object.fromEntries([...config].map(([key, entry]) => [key, entry.value]));
    const secretKeys = [...config].filter(([, entry]) => entry.secret).map(([key]) => key);
    let completed: Promise<void> | undefined;
    let given: (deployment: Deployment) => void = () => undefined;
    const deploymentReady = new Promise<Deployment>((resolve) => (given = resolve));
    const session: Session = {
      deployment: deploymentReady,
      project: project.name,
      stack,
      organization: ORGANIZATION,
      preview,
      parallel,
      config: values,
      secretKeys,
      log: (severity, message, urn) => { events.diagnostic({ severity, message: message.trimEnd(), ...(urn === "" ? {} : { urn }) }); },
      finish: () => (completed ??= deploymentReady.then((deployment) => deployment.complete())),
    };
    const serving = await serve(session);
    this.engineAddress = serving.address;
    const policies = new PolicyPacks({ folders: this.options.policyPacks, engineAddress: serving.address, env, project: project.name, stack, organization: ORGANIZATION, preview, events });
    const program = new Program({
      project, stack, preview, parallel, env, secretKeys,
      organization: ORGANIZATION,
      monitorAddress: serving.address,
      engineAddress: serving.address,
      config: values,
      output: (message) => { events.diagnostic({ severity: "info", message }); },
    });
    try {
      const { snapshot, journal, registry, hooks } = await this.prepare();
      const deployment = new Deployment({
        project: project.name, stack, preview, parallel, targets, config, events, journal, hooks,
        providers: registry,
        policies,
        base: snapshot.resources,
        signal: this.options.signal,
      });
      given(deployment);
      this.options.signal.addEventListener("abort", () => { deployment.fail(new EngineError("canceled")); }, { once: true });
      const ended = await Promise.race([program.ended, deployment.failure.then(() => "")]);
      if (ended === undefined) await session.finish();
      else if (ended !== "") deployment.fail(new EngineError(ended));
      else deployment.stop();
      await deployment.settleDown();
      await completed;
      await program.stop();
      if (!preview) journal.write();
      return { failed: deployment.hasFailed, outputs: deployment.stackOutputs() };
    } finally {
      await program.stop();
      await policies.close();
      serving.close();
      await this.close();
    }
  }

  /** Deletes every resource of the stack. The program does not run. */
  async destroy(): Promise<{ failed: boolean }> {
    try {
      const { snapshot, journal } = await this.prepare();
      const { preview, events, signal, parallel } = this.options;
      let failed = false;
      const fail = (error: unknown, urn = ""): void => {
        failed = true;
        events.diagnostic({ severity: "error", message: messageOf(error), ...(urn === "" ? {} : { urn }) });
      };
      const deletions = new Deletions({
        operations: new Operations({ preview, journal, hooks: this.hooks, events, signal }),
        journal,
        slots: new Slots(parallel),
        providerOf: (state) => this.providerOf(state, snapshot),
        wasReplaced: () => false,
        stopped: () => failed || signal.aborted,
        fail,
      });
      try {
        await deletions.run(journal.remaining());
        if (signal.aborted) fail(new EngineError("canceled"));
      } catch (error) {
        fail(error);
      }
      if (!preview) journal.write();
      return { failed };
    } finally {
      await this.close();
    }
  }

  /** Brings the state in line with what is really there. */
  async refresh(): Promise<{ failed: boolean }> {
    try {
      const { snapshot, journal } = await this.prepare();
      const slots = new Slots(this.options.parallel);
      const results = await Promise.all(
        snapshot.resources.map((state) => slots.use(() => this.refreshOne(state, snapshot, journal))),
      );
      if (!this.options.preview) journal.write();
      return { failed: results.includes(false) };
    } finally {
      await this.close();
    }
  }

  private async refreshOne(state: ResourceState, snapshot: Snapshot, journal: Journal): Promise<boolean> {
    const { events } = this.options;
    if (state.delete || state.pendingReplacement || !state.custom || isProviderType(state.type)) return true;
    const start = performance.now();
    const step: Step = { ...deletionStep(state), op: "refresh" };
    events.started(step);
    try {
      const provider = this.registry.get(state.provider, (urn) => snapshot.resources.find((one) => one.urn === urn)?.inputs);
      const live = await provider.read({ ...resourceOf(state), id: state.id, inputs: state.inputs, outputs: state.outputs });
      if (!live) journal.drop(state);
      const outputs = markSecretKeys(live?.outputs ?? {}, state.additionalSecretOutputs);
      const changed = live !== undefined && !equal(state.outputs, outputs);
      const inputs = live?.inputs ?? state.inputs;
      events.done(
        { ...step, op: !live ? "delete" : changed ? "update" : "same", diff: diffProps(state.inputs, inputs) },
        performance.now() - start,
      );
      if (live && changed) Object.assign(state, { id: live.id, outputs, inputs });
      return true;
    } catch (error) {
      events.diagnostic({ severity: "error", message: messageOf(error), urn: state.urn });
      events.failed(step, performance.now() - start);
      return false;
    }
  }

  private async prepare(): Promise<Prepared> {
    const { backend, stack, preview } = this.options;
    const json = backend.read(stack);
    const crypter = await this.options.crypter;
    const snapshot = readDeployment(json, crypter);
    const save = (saved: Snapshot): void => {
      if (!preview) backend.write(stack, writeDeployment(saved, crypter));
    };
    this.registry.warmUp(new Set(snapshot.resources.filter((state) => state.custom).map((state) => packageOf(state.type))));
    await this.resolvePending(snapshot);
    return { snapshot, journal: new Journal(snapshot, save), registry: this.registry, hooks: this.hooks };
  }

  /**
   * What an interrupted run left: creations whose outcome nobody recorded. Where the provider can find out, the
   * resource joins the state; everything else is simply done again, and interrupted updates and deletions are
   * repeated anyway, because the state still has what was before them.
   */
  private async resolvePending(snapshot: Snapshot): Promise<void> {
    for (const operation of snapshot.pending) {
      if (operation.type === "creating") await this.recover(operation, snapshot);
    }
    snapshot.pending = [];
  }

  private async recover({ resource }: PendingOperation, snapshot: Snapshot): Promise<void> {
    const provider = this.providerOf(resource, snapshot);
    if (!provider) return;
    let live;
    try {
      live = await provider.recover(resourceOf(resource), resource.inputs);
    } catch (error) {
      if (!this.options.preview) throw error;
    }
    const twin = snapshot.resources.find((state) => state.urn === resource.urn && !state.delete);
    const text = live ? `found as '${live.id}'` : "it is created again";
    this.options.events.diagnostic({
      severity: "warning",
      message: `the last run was interrupted while creating '${nameOf(resource.urn)}': ${text}`,
      urn: resource.urn,
    });
    if (!live || twin?.id === live.id) return;
    // Beside a twin it was its replacement: that is made anew, so this one has to go.
    snapshot.resources.push({ ...resource, id: live.id, outputs: markSecretKeys(live.outputs, resource.additionalSecretOutputs), delete: twin !== undefined });
  }

  private providerOf(state: ResourceState, snapshot: Snapshot): Provider | undefined {
    if (!state.custom || state.external || isProviderType(state.type)) return undefined;
    return this.registry.get(state.provider, (urn) => snapshot.resources.find((one) => one.urn === urn)?.inputs);
  }

  private async close(): Promise<void> {
    this.hooks.close();
    await this.registry.close();
  }
}
