/**
 * Dynamic resources, through the SDK's own dynamic-provider process: one a run, started when the first is
 * met, in the program's folder. It does not understand secrets, so it gets plain values, and what it returns
 * under a secret input's name is a secret again.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { type CallOptions, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import provider from "@pulumi/pulumi/proto/provider_pb.js";
import status from "@pulumi/pulumi/proto/status_pb.js";
import { EngineError, messageOf } from "../errors";
import { DIE_WITH_PARENT } from "../program";
import { markSecretsLike, type Props } from "../value";
import { fromStruct, toStruct } from "../wire";
import {
  type Checked, type CheckRequest, type Created, type CreateRequest, type DeleteRequest, type DiffRequest,
  type Live, PartialFailure, type Provider, type ProviderDiff, type ReadRequest, type UpdateRequest,
} from "./provider";

const PLAIN = { secrets: false };
const MAX_MESSAGE_BYTES = 400 * 1024 * 1024;
const KILL_AFTER_MS = 5_000;

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
  child: ChildProcess;
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

type Call<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: Response) => void,
) => unknown;

function invoke<Request, Response>(call: Call<Request, Response>, request: Request): Promise<Response> {
  return new Promise((resolve, reject) => {
    call(request, new Metadata(), {}, (error, response) => {
      if (!error) resolve(response);
      else reject(partialFailureIn(error.metadata, error.details) ?? new Error(error.details));
    });
  });
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
    if (running.child.exitCode !== null || running.child.signalCode !== null) return;
    const exited = new Promise((resolve) => running.child.once("exit", resolve));
    running.child.kill("SIGTERM");
    const timer = setTimeout(() => running.child.kill("SIGKILL"), KILL_AFTER_MS);
    await exited;
    clearTimeout(timer);
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
    const script = require.resolve("@pulumi/pulumi/cmd/dynamic-provider/index.js", { paths: [this.options.directory] });
    const child = spawn(process.execPath, ["-r", DIE_WITH_PARENT, script, this.options.engineAddress], {
      cwd: this.options.directory,
      env: this.options.env,
      stdio: ["pipe", "pipe", "pipe"],
    });
    const port = await this.readPort(child);
    const limits = { "grpc.max_receive_message_length": MAX_MESSAGE_BYTES, "grpc.max_send_message_length": MAX_MESSAGE_BYTES };
    const client = new ResourceProviderClient(`127.0.0.1:${port}`, credentials.createInsecure(), limits);
    const configure = new provider.ConfigureRequest();
    configure.setArgs(toStruct(this.options.config, { secrets: true }));
    configure.setAcceptsecrets(true);
    configure.setAcceptresources(true);
    await invoke(client.configure.bind(client), configure);
    return { child, client };
  }

  /** The first line on its stdout is the port; everything after it is the provider code's own output. */
  private readPort(child: ChildProcess): Promise<string> {
    return new Promise((resolve, reject) => {
      const { stdout, stderr } = child;
      if (!stdout || !stderr) {
        reject(new EngineError("the dynamic provider process has no output to read"));
        return;
      }
      let known = false;
      createInterface({ input: stdout }).on("line", (line) => {
        if (known) this.options.log(line);
        else resolve(line.trim());
        known = true;
      });
      createInterface({ input: stderr }).on("line", (line) => { this.options.log(line); });
      child.once("error", (error) => { reject(new EngineError(`the dynamic provider process did not start: ${messageOf(error)}`)); });
      child.once("exit", (code, signal) => { reject(new EngineError(`the dynamic provider process ended early (${signal ?? `exit code ${code}`})`)); });
    });
  }
}

