/** Resource hooks: functions in the program that the engine calls before and after an operation. */
import { credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { CallbacksClient } from "@pulumi/pulumi/proto/callback_grpc_pb.js";
import callbacks from "@pulumi/pulumi/proto/callback_pb.js";
import resource, { type RegisterResourceHookRequest } from "@pulumi/pulumi/proto/resource_pb.js";
import { EngineError } from "./errors";
import type { HookPoint, ResourceState } from "./state";
import { nameOf } from "./urn";
import type { Props } from "./value";
import { toStruct } from "./wire";

interface Hook {
  target: string;
  token: string;
  onDryRun: boolean;
  ignoreErrors: boolean;
}

const WITH_SECRETS = { secrets: true };

export class Hooks {
  private readonly hooks = new Map<string, Hook>();
  private readonly clients = new Map<string, CallbacksClient>();

  constructor(
    private readonly preview: boolean,
    private readonly warn: (message: string, urn: string) => void,
  ) {}

  register(request: RegisterResourceHookRequest): void {
    const name = request.getName();
    const callback = request.getCallback();
    if (!callback) throw new EngineError(`resource hook '${name}' has no callback`);
    if (this.hooks.has(name)) throw new EngineError(`resource hook already registered for name '${name}'`);
    this.hooks.set(name, {
      target: callback.getTarget(),
      token: callback.getToken(),
      onDryRun: request.getOnDryRun(),
      ignoreErrors: request.getIgnoreErrors(),
    });
  }

  /** Runs the hooks of one point in order; the first error stops the operation. */
  async run(point: HookPoint, names: readonly string[] | undefined, old: ResourceState | undefined, fresh: ResourceState | undefined): Promise<void> {
    for (const name of names ?? []) {
      const hook = this.hooks.get(name);
      const urn = (fresh ?? old)?.urn ?? "";
      if (!hook) throw new EngineError(`resource hook not registered for '${name}': hooks on deletion need the program that defines them (run up with the resource removed, not destroy)`);
      if (this.preview && !hook.onDryRun) continue;
      const error = await this.call(hook, this.message(point, old, fresh));
      if (error === "") continue;
      if (!hook.ignoreErrors) throw new EngineError(`${point} hook '${name}' failed: ${error}`);
      this.warn(`${point} hook '${name}' failed: ${error}`, urn);
    }
  }

  close(): void {
    this.clients.forEach((client) => { client.close(); });
  }

  private message(point: HookPoint, old: ResourceState | undefined, fresh: ResourceState | undefined): Uint8Array {
    const request = new resource.ResourceHookRequest();
    const state = fresh ?? old;
    if (state) {
      request.setUrn(state.urn);
      request.setId(state.id === "" ? (old?.id ?? "") : state.id);
      request.setName(nameOf(state.urn));
      request.setType(state.type);
    }
    const after = point.startsWith("After");
    const encode = (props: Props | undefined) => (props ? toStruct(props, WITH_SECRETS) : undefined);
    request.setNewInputs(encode(fresh?.inputs));
    request.setOldInputs(encode(old?.inputs));
    request.setNewOutputs(encode(after ? fresh?.outputs : undefined));
    request.setOldOutputs(encode(old?.outputs));
    return request.serializeBinary();
  }

  private async call(hook: Hook, message: Uint8Array): Promise<string> {
    const client = this.clients.get(hook.target) ?? new CallbacksClient(hook.target, credentials.createInsecure());
    this.clients.set(hook.target, client);
    const request = new callbacks.CallbackInvokeRequest();
    request.setToken(hook.token);
    request.setRequest(message);
    const answer = await new Promise<Uint8Array>((resolve, reject) => {
      client.invoke(request, new Metadata(), {}, (error: ServiceError | null, response) => {
        if (error) reject(new EngineError(error.details));
        else resolve(response.getResponse_asU8());
      });
    });
    return resource.ResourceHookResponse.deserializeBinary(answer).getError();
  }
}
