/** The two gRPC services a program talks to, ResourceMonitor and Engine, over whatever does the work. */
import { type handleUnaryCall, Server, ServerCredentials, status, type UntypedHandleCall } from "@grpc/grpc-js";
import engineServices from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import engine, { type LogRequest, type SetRootResourceRequest } from "@pulumi/pulumi/proto/engine_pb.js";
import monitorServices from "@pulumi/pulumi/proto/resource_grpc_pb.js";
import resource, {
  type ReadResourceRequest, type RegisterResourceHookRequest, type RegisterResourceOutputsRequest, type RegisterResourceRequest,
  type ResourceInvokeRequest, type SupportsFeatureRequest,
} from "@pulumi/pulumi/proto/resource_pb.js";
import { messageOf } from "./errors";
import type { Deployment } from "./deployment";
import { CHANNEL } from "./pluginProcess";
import { empty, fromStruct, toStruct } from "./wire";

const WITH_SECRETS = { secrets: true };

const FEATURES = resource.ResourceMonitorFeature;
const SUPPORTED = [
  FEATURES.RESOURCE_MONITOR_FEATURE_SECRETS,
  FEATURES.RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES,
  FEATURES.RESOURCE_MONITOR_FEATURE_OUTPUT_VALUES,
  FEATURES.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
  FEATURES.RESOURCE_MONITOR_FEATURE_REPLACEMENT_TRIGGER,
  FEATURES.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
  FEATURES.RESOURCE_MONITOR_FEATURE_REPLACE_WITH,
  FEATURES.RESOURCE_MONITOR_FEATURE_RESOURCE_HOOKS,
];
/** The older way to ask, by name. */
const SUPPORTED_NAMES = new Set([
  "secrets", "resourceReferences", "outputValues", "aliasSpecs", "deletedWith", "replaceWith", "replacementTrigger", "resourceHooks",
]);

export interface Session {
  /** Settles when the state has been read; the program does not wait for that to start. */
  deployment: Promise<Deployment>;
  project: string;
  stack: string;
  organization: string;
  preview: boolean;
  parallel: number;
  config: Record<string, string>;
  secretKeys: string[];
  log(severity: "info" | "warning" | "error", message: string, urn: string): void;
  /** The program has registered everything; settles when everything asked for is done. */
  finish(): Promise<void>;
}

/** A handler that answers with a promise. */
function unary<Request, Response>(handle: (request: Request) => Promise<Response> | Response): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    void (async () => {
      try {
        callback(null, await handle(call.request));
      } catch (error) {
        callback({ code: status.UNKNOWN, details: messageOf(error) });
      }
    })();
  };
}

function monitor(session: Session): Record<string, UntypedHandleCall> {
  const { deployment } = session;
  return {
    getDeploymentInfo: unary(() => {
      const info = new resource.DeploymentInfo();
      info.setProject(session.project);
      info.setStack(session.stack);
      info.setOrganization(session.organization);
      info.setDryrun(session.preview);
      info.setParallel(session.parallel);
      Object.entries(session.config).forEach(([key, value]) => info.getConfigMap().set(key, value));
      info.setConfigsecretkeysList(session.secretKeys);
      info.setSupportedfeaturesList(SUPPORTED);
      return info;
    }),
    supportsFeature: unary((request: SupportsFeatureRequest) => {
      const response = new resource.SupportsFeatureResponse();
      response.setHassupport(SUPPORTED_NAMES.has(request.getId()));
      return response;
    }),
    registerResource: unary(async (request: RegisterResourceRequest) => {
      const state = await (await deployment).register(request);
      const response = new resource.RegisterResourceResponse();
      response.setUrn(state.urn);
      response.setId(state.id);
      response.setObject(toStruct(state.outputs, WITH_SECRETS));
      response.setResult(resource.Result.SUCCESS);
      return response;
    }),
    registerResourceOutputs: unary(async (request: RegisterResourceOutputsRequest) => {
      (await deployment).registerOutputs(request.getUrn(), fromStruct(request.getOutputs()).props);
      return empty();
    }),
    readResource: unary(async (request: ReadResourceRequest) => {
      const state = await (await deployment).read(request);
      const response = new resource.ReadResourceResponse();
      response.setUrn(state.urn);
      response.setProperties(toStruct(state.outputs, WITH_SECRETS));
      return response;
    }),
    invoke: unary(async (request: ResourceInvokeRequest) => {
      const response = new resource.ResourceInvokeResponse();
      response.setReturn(toStruct(await (await deployment).invoke(request), WITH_SECRETS));
      return response;
    }),
    registerResourceHook: unary(async (request: RegisterResourceHookRequest) => {
      (await deployment).hooks.register(request);
      return empty();
    }),
    signalAndWaitForShutdown: unary(async () => {
      await session.finish();
      return empty();
    }),
  };
}

function engineHandlers(session: Session): Record<string, UntypedHandleCall> {
  let root = "";
  const severities = engine.LogSeverity;
  return {
    log: unary((request: LogRequest) => {
      const severity = request.getSeverity();
      if (severity !== severities.DEBUG && !request.getEphemeral()) {
        const name = severity === severities.ERROR ? "error" : severity === severities.WARNING ? "warning" : "info";
        session.log(name, request.getMessage(), request.getUrn());
      }
      return empty();
    }),
    getRootResource: unary(() => {
      const response = new engine.GetRootResourceResponse();
      response.setUrn(root);
      return response;
    }),
    setRootResource: unary((request: SetRootResourceRequest) => {
      root = request.getUrn();
      return new engine.SetRootResourceResponse();
    }),
    // The stand-in follows the SDK it serves; there is no CLI version to compare.
    requirePulumiVersion: unary(() => new engine.RequirePulumiVersionResponse()),
    startDebugging: unary(() => empty()),
  };
}

export interface Serving {
  address: string;
  close(): void;
}

export async function serve(session: Session): Promise<Serving> {
  const server = new Server(CHANNEL);
  server.addService(monitorServices.ResourceMonitorService, monitor(session));
  server.addService(engineServices.EngineService, engineHandlers(session));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  return { address: `127.0.0.1:${port}`, close: () => { server.forceShutdown(); } };
}
