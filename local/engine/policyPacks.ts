/** Policy packs, in the SDK's own process for them: asked of each resource before it changes, and of the whole stack at the end. */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { credentials } from "@grpc/grpc-js";
import { AnalyzerClient } from "@pulumi/pulumi/proto/analyzer_grpc_pb.js";
import analyzer, { type AnalyzeResponse } from "@pulumi/pulumi/proto/analyzer_pb.js";
import { parse } from "yaml";
import { EngineError } from "./errors";
import type { Events } from "./events";
import { CHANNEL, invoke, type PluginProcess, startPlugin } from "./pluginProcess";
import { isRecord } from "./project";
import type { ResourceState } from "./state";
import { nameOf, parseProviderReference, typeOf } from "./urn";
import type { Props } from "./value";
import { toStruct } from "./wire";

const WITH_SECRETS = { secrets: true };

export interface PolicyPacksOptions {
  folders: readonly string[];
  engineAddress: string;
  env: Record<string, string>;
  project: string;
  stack: string;
  organization: string;
  preview: boolean;
  events: Events;
}

interface Pack {
  process: PluginProcess;
  client: AnalyzerClient;
}

/** Finds what a provider resource is configured with. */
type InputsOf = (urn: string) => Props | undefined;

export class PolicyPacks {
  private readonly packs: Promise<Pack>[];

  constructor(private readonly options: PolicyPacksOptions) {
    this.packs = options.folders.map((folder) => this.start(resolve(folder)));
    for (const pack of this.packs) pack.catch(() => undefined); // whoever asks it first gets the error
  }

  /** Says what is wrong with it. @returns whether it must not be made so */
  async forbid(state: ResourceState, inputsOf: InputsOf): Promise<boolean> {
    if (this.packs.length === 0) return false;
    const { urn, type, inputs } = state;
    const request = new analyzer.AnalyzeRequest().setUrn(urn).setType(type).setName(nameOf(urn)).setProperties(toStruct(inputs, WITH_SECRETS)).setOptions(optionsOf(state)).setProvider(providerOf(state, inputsOf));
    return this.ask((client) => invoke(client.analyze.bind(client), request), urn);
  }

  /** The same of all that is, or will be, there. */
  async forbidStack(states: readonly ResourceState[], inputsOf: InputsOf): Promise<boolean> {
    if (this.packs.length === 0) return false;
    const request = new analyzer.AnalyzeStackRequest().setResourcesList(states.map((state) => stackResource(state, inputsOf)));
    return this.ask((client) => invoke(client.analyzeStack.bind(client), request));
  }

  async close(): Promise<void> {
    for (const pack of await Promise.allSettled(this.packs)) {
      if (pack.status === "rejected") continue;
      pack.value.client.close();
      await pack.value.process.stop();
    }
  }

  private async ask(call: (client: AnalyzerClient) => Promise<AnalyzeResponse>, of?: string): Promise<boolean> {
    const answers = await Promise.all(this.packs.map(async (pack) => call((await pack).client)));
    const found = answers.flatMap((answer) => answer.getDiagnosticsList());
    let isForbidden = false;
    for (const each of found) {
      const isMandatory = each.getEnforcementlevel() !== analyzer.EnforcementLevel.ADVISORY;
      isForbidden ||= isMandatory;
      const urn = of ?? each.getUrn();
      const policy = `policy ${each.getPolicyname()} of ${each.getPolicypackname()} v${each.getPolicypackversion()}`;
      this.options.events.diagnostic({ severity: isMandatory ? "error" : "warning", message: `${policy}: ${each.getMessage()}`, ...(urn === "" ? {} : { urn }) });
    }
    return isForbidden;
  }

  private async start(folder: string): Promise<Pack> {
    refuseUnlessNode(folder);
    const { engineAddress, env, project, stack, organization, preview, events } = this.options;
    const process = await startPlugin({
      what: "policy pack",
      module: "@pulumi/pulumi/cmd/run-policy-pack/index.js",
      args: [engineAddress, folder],
      directory: folder,
      env: { ...env, PULUMI_NODEJS_TYPESCRIPT: "true", PULUMI_NODEJS_ORGANIZATION: organization, PULUMI_NODEJS_PROJECT: project, PULUMI_NODEJS_STACK: stack, PULUMI_NODEJS_DRY_RUN: String(preview) },
      log: (message) => { events.diagnostic({ severity: "info", message }); },
    });
    const client = new AnalyzerClient(process.address, credentials.createInsecure(), CHANNEL);
    await invoke(client.configureStack.bind(client), new analyzer.AnalyzerStackConfigureRequest().setProject(project).setStack(stack).setOrganization(organization).setDryRun(preview));
    return { process, client };
  }
}

function refuseUnlessNode(folder: string): void {
  const file = join(folder, "PulumiPolicy.yaml");
  if (!existsSync(file)) throw new EngineError(`there is no policy pack in ${folder}: no PulumiPolicy.yaml; name the folder of one: --policy-pack policy`);
  const yaml: unknown = parse(readFileSync(file, "utf8"));
  const runtime = isRecord(yaml) && isRecord(yaml["runtime"]) ? yaml["runtime"]["name"] : isRecord(yaml) ? yaml["runtime"] : undefined;
  if (runtime !== "nodejs") throw new EngineError(`${file}: runtime ${JSON.stringify(runtime)} is not covered by the stand-in engine, which runs nodejs packs only; install the Pulumi CLI`);
}

/** With what it has become, as far as that is known. */
function stackResource(state: ResourceState, inputsOf: InputsOf): analyzer.AnalyzerResource {
  const { urn, type, outputs, parent, dependencies, propertyDependencies } = state;
  const made = new analyzer.AnalyzerResource().setUrn(urn).setType(type).setName(nameOf(urn)).setProperties(toStruct(outputs, WITH_SECRETS)).setOptions(optionsOf(state)).setProvider(providerOf(state, inputsOf)).setParent(parent).setDependenciesList(dependencies);
  for (const [property, urns] of Object.entries(propertyDependencies)) made.getPropertydependenciesMap().set(property, new analyzer.AnalyzerPropertyDependencies().setUrnsList(urns));
  return made;
}

function optionsOf({ protect, ignoreChanges, additionalSecretOutputs, customTimeouts, parent }: ResourceState): analyzer.AnalyzerResourceOptions {
  const timeouts = new analyzer.AnalyzerResourceOptions.CustomTimeouts().setCreate(customTimeouts.create ?? 0).setUpdate(customTimeouts.update ?? 0).setDelete(customTimeouts.delete ?? 0);
  return new analyzer.AnalyzerResourceOptions().setProtect(protect).setIgnorechangesList(ignoreChanges).setAdditionalsecretoutputsList(additionalSecretOutputs).setCustomtimeouts(timeouts).setParent(parent);
}

function providerOf({ provider }: ResourceState, inputsOf: InputsOf): analyzer.AnalyzerProviderResource | undefined {
  if (provider === "") return undefined;
  const { urn } = parseProviderReference(provider);
  return new analyzer.AnalyzerProviderResource().setUrn(urn).setType(typeOf(urn)).setName(nameOf(urn)).setProperties(toStruct(inputsOf(urn) ?? {}, WITH_SECRETS));
}
