/**
 * Dynamic resources, through the SDK's own dynamic-provider process: one a run, started when the first is
 * met, in the program's folder. It does not understand secrets, so it gets plain values, and what it returns
 * under a secret input's name is a secret again.
 */
import { credentials, type Metadata, type ServiceError } from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import provider from "@pulumi/pulumi/proto/provider_pb.js";
import status from "@pulumi/pulumi/proto/status_pb.js";
import { EngineError } from "../errors";
import { CHANNEL, invoke as call, type PluginProcess, startPlugin } from "../pluginProcess";
import { markSecretsLike, type Props } from "../value";
import { fromStruct, toStruct } from "../wire";
import {
  type Checked, type CheckRequest, type Created, type CreateRequest, type DeleteRequest, type DiffRequest,
  type Live, PartialFailure, type Provider, type ProviderDiff, type ReadRequest, type UpdateRequest,
} from "./provider";

const PLAIN = { secrets: false };

export interface DynamicOptions {
  /** The program's folder. */
  directory: string;
  env: Record<string, string>;
  engineAddress: string;
  /** The whole stack configuration, as `configure` gets it. */
  config: Props;
  /** What the provider's code prints. */
  log: (line: string) => void;
}

interface Running {
  process: PluginProcess;
  client: ResourceProviderClient;
}

/** A create or update that got half way says so in the error's metadata. */
function partialFailureIn(metadata: Metadata | undefined, message: string): PartialFailure | undefined {
  const detail = metadata?.get("grpc-status-details-bin")[0];
  if (!(detail instanceof Buffer)) return undefined;
  for (const any of status.Status.deserializeBinary(detail).getDetailsList()) {
    if (!any.getTypeUrl().endsWith("pulumirpc.ErrorResourceInitFailed")) continue;
    const failed = provider.ErrorResourceInitFailed.deserializeBinary(any.getValue_asU8());
    return new PartialFailure(message, failed.getId(), fromStruct(failed.getProperties()).props, failed.getReasonsList());
  }
  return undefined;
}

function invoke<Request, Response>(method: Parameters<typeof call<Request, Response>>[0], request: Request): Promise<Response> {
  return call(method, request, ({ metadata, details }: ServiceError) => partialFailureIn(metadata, details) ?? new Error(details));
}

export class DynamicProvider implements Provider {
  private running: Promise<Running> | undefined;

  constructor(private readonly options: DynamicOptions) {}

  /** Starts the process, so that it is there when it is needed. */
  warmUp(): void {
    this.client().catch(() => undefined); // whoever needs it first gets the error
  }

  async check(request: CheckRequest): Promise<Checked> {
    const client = await this.client();
    const message = new provider.CheckRequest();
    message.setUrn(request.urn);
    message.setOlds(toStruct(request.oldInputs ?? {}, PLAIN));
    message.setNews(toStruct(request.inputs, PLAIN));
    const response = await invoke(client.check.bind(client), message);
    return {
      inputs: markSecretsLike(fromStruct(response.getInputs()).props, request.inputs),
      failures: response.getFailuresList().map((failure) => ({ property: failure.getProperty(), reason: failure.getReason() })),
    };
  }

  async diff(request: DiffRequest): Promise<ProviderDiff> {
    const client = await this.client();
    const message = new provider.DiffRequest();
    message.setId(request.id);
    message.setUrn(request.urn);
    message.setOlds(toStruct(request.oldOutputs, PLAIN));
    message.setOldInputs(toStruct(request.oldInputs, PLAIN));
    message.setNews(toStruct(request.inputs, PLAIN));
    const response = await invoke(client.diff.bind(client), message);
    const changes = provider.DiffResponse.DiffChanges;
    return {
      changes:
        response.getChanges() === changes.DIFF_NONE ? "none" : response.getChanges() === changes.DIFF_SOME ? "some" : "unknown",
      replaces: response.getReplacesList(),
      deleteBeforeReplace: response.getDeletebeforereplace(),
    };
  }

  async create(request: CreateRequest): Promise<Created> {
    // The process supports no previews: what create() would return is not known, the inputs stand in.
    if (request.preview) return { id: "", outputs: request.inputs };
    const client = await this.client();
    const message = new provider.CreateRequest();
    message.setUrn(request.urn);
    message.setProperties(toStruct(request.inputs, PLAIN));
    message.setTimeout(request.timeoutSeconds);
    const response = await this.secretly(request.inputs, () => invoke(client.create.bind(client), message));
    return { id: response.getId(), outputs: markSecretsLike(fromStruct(response.getProperties()).props, request.inputs) };
  }

  async update(request: UpdateRequest): Promise<Props> {
    if (request.preview) return request.inputs;
    const client = await this.client();
    const message = new provider.UpdateRequest();
    message.setId(request.id);
    message.setUrn(request.urn);
    message.setOlds(toStruct(request.oldOutputs, PLAIN));
    message.setOldInputs(toStruct(request.oldInputs, PLAIN));
    message.setNews(toStruct(request.inputs, PLAIN));
    message.setTimeout(request.timeoutSeconds);
    const response = await this.secretly(request.inputs, () => invoke(client.update.bind(client), message));
    return markSecretsLike(fromStruct(response.getProperties()).props, request.inputs);
  }

  async delete(request: DeleteRequest): Promise<void> {
    const client = await this.client();
    const message = new provider.DeleteRequest();
    message.setId(request.id);
    message.setUrn(request.urn);
    message.setProperties(toStruct(request.oldOutputs, PLAIN));
    message.setOldInputs(toStruct(request.oldInputs, PLAIN));
    message.setTimeout(request.timeoutSeconds);
    await invoke(client.delete.bind(client), message);
  }

  async read(request: ReadRequest): Promise<Live | undefined> {
    const client = await this.client();
    const message = new provider.ReadRequest();
    message.setId(request.id);
    message.setUrn(request.urn);
    message.setProperties(toStruct(request.outputs, PLAIN));
    message.setInputs(toStruct(request.inputs, PLAIN));
    const response = await invoke(client.read.bind(client), message);
    if (response.getId() === "") return undefined;
    const inputs = response.getInputs();
    return {
      id: response.getId(),
      outputs: markSecretsLike(markSecretsLike(fromStruct(response.getProperties()).props, request.inputs), request.outputs),
      ...(inputs ? { inputs: markSecretsLike(fromStruct(inputs).props, request.inputs) } : {}),
    };
  }

  invoke(token: string): Promise<Props> {
    return Promise.reject(new EngineError(`unknown function ${token}: dynamic providers have no functions`));
  }

  /** Nobody can say whether an interrupted create() of the user's code took effect: it is run again. */
  recover(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  async close(): Promise<void> {
    const running = await this.running?.catch(() => undefined);
    if (!running) return;
    running.client.close();
    await running.process.stop();
  }

  private async secretly<T>(inputs: Props, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof PartialFailure)) throw error;
      throw new PartialFailure(error.message, error.id, markSecretsLike(error.outputs, inputs), error.reasons);
    }
  }

  private async client(): Promise<ResourceProviderClient> {
    this.running ??= this.start();
    return (await this.running).client;
  }

  private async start(): Promise<Running> {
    const { directory, env, engineAddress, config, log } = this.options;
    const running = await startPlugin({ what: "dynamic provider", module: "@pulumi/pulumi/cmd/dynamic-provider/index.js", args: [engineAddress], directory, env, log });
    const client = new ResourceProviderClient(running.address, credentials.createInsecure(), CHANNEL);
    const configure = new provider.ConfigureRequest();
    configure.setArgs(toStruct(config, { secrets: true }));
    configure.setAcceptsecrets(true);
    configure.setAcceptresources(true);
    await invoke(client.configure.bind(client), configure);
    return { process: running, client };
  }
}
