/**
 * Loaded by Node.js before Pulumi's SDK is, where Pulumi.yaml asks for it (`nodeargs`). It keeps the SDK from
 * work that no update of this program needs, and has the process of steps start early. Without it an update
 * is the same, and takes longer (docs/decisions/024-built-once.md).
 */
import { Session } from "node:inspector";
import { createRequire, enableCompileCache, Module } from "node:module";
import type { ClientUnaryCall } from "@grpc/grpc-js";
import type * as Log from "@pulumi/pulumi/log/index.js";
import type * as Monitor from "@pulumi/pulumi/proto/resource_grpc_pb.js";
import type * as Messages from "@pulumi/pulumi/proto/resource_pb.js";

// What this process compiles the next one finds, by a shell that has no NODE_COMPILE_CACHE, too.
enableCompileCache();
// The program's folder is not known yet, but the file that Node.js runs is the SDK's.
const sdk = createRequire(process.argv[1] ?? __filename);
// A compiler, for functions that are serialized.
instead("@pulumi/pulumi/typescript-shim", loadedLate);
// A debugger, for the same, which is told of each file that is loaded.
instead("@pulumi/pulumi/runtime/closure/v8Hooks", debuggedLate);
// The SDK takes a stack trace for each promise, and would look up the source map of each line of it. Lines in
// errors are those of the files that run.
instead("source-map-support/register", () => ({}));
// Once the SDK has loaded, and before it runs the program.
process.nextTick(() => {
  joinDebugMessages();
  startSteps();
});

/** The file of the copy of the SDK that runs the program; another version of it loads what it wants. */
function fileOf(name: string): string | undefined {
  try {
    return sdk.resolve(name);
  } catch {
    return undefined;
  }
}

/** Node.js takes a file for loaded, with these exports. */
function instead(name: string, exportsFor: (file: string) => object): void {
  const file = fileOf(name);
  if (file === undefined) return;
  require.cache[file] = Object.assign(new Module(file), {
    filename: file,
    loaded: true,
    exports: exportsFor(file),
  });
}

/** What the SDK has of it, once it is loaded. */
function loadedOf(name: string): unknown {
  const file = fileOf(name);
  return file === undefined ? undefined : require.cache[file]?.exports;
}

/** The file itself, once it is asked for something. */
function loadedLate(file: string): object {
  const load = createRequire(file);
  let loaded: Record<string | symbol, unknown> | undefined;
  return new Proxy(
    {},
    {
      get: (_, name) => {
        if (loaded === undefined) {
          // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- it is Node.js that reads it
          delete require.cache[file];
          loaded = load(file) as Record<string | symbol, unknown>;
        }
        return loaded[name];
      },
    },
  );
}

/** What the SDK knows of V8: the same as it, once it is asked for something. */
function debuggedLate(): object {
  const urls = new Map<string, string>();
  let session: Promise<Session> | undefined;
  const debug = () =>
    new Promise<Session>((resolve, reject) => {
      const opened = new Session();
      opened.connect();
      opened.on("Debugger.scriptParsed", ({ params: { scriptId, url } }) => urls.set(scriptId, url));
      opened.post("Debugger.enable", (error) => {
        if (error === null) resolve(opened);
        else reject(error);
      });
    });
  return {
    isInitializedAsync: () => Promise.resolve(),
    getSessionAsync: () => (session ??= debug()),
    getScriptUrl: (id: string) => urls.get(id),
  };
}

/**
 * Each is a request to the engine, one after the other, several for each resource, though nobody sees them
 * without --debug. Those of one turn of the event loop are one request.
 */
function joinDebugMessages(): void {
  const log = loadedOf("@pulumi/pulumi/log") as typeof Log | undefined;
  if (log === undefined) return;
  const send = log.debug;
  let joined: ReturnType<typeof startJoining> | undefined;
  const startJoining = () => {
    const lines: string[] = [];
    const sent = new Promise<void>((resolve) => {
      setImmediate(() => {
        joined = undefined;
        resolve(send(lines.join("\n")));
      });
    });
    return { lines, sent };
  };
  const debug: typeof send = (line, resource, ...how) => {
    if (resource !== undefined) return send(line, resource, ...how);
    joined ??= startJoining();
    joined.lines.push(line);
    return joined.sent;
  };
  Object.assign(log, { debug });
}

/**
 * Pulumi starts the process of steps when the first of them is registered, which is when the program has
 * loaded; either takes as long. It starts beside the program where it is asked for something before: for a
 * function, which it does not have, once the stack is registered and before the program loads.
 */
function startSteps(): void {
  const monitor = loadedOf("@pulumi/pulumi/proto/resource_grpc_pb") as typeof Monitor | undefined;
  const messages = loadedOf("@pulumi/pulumi/proto/resource_pb") as typeof Messages | undefined;
  if (monitor === undefined || messages === undefined) return;
  const { prototype } = monitor.ResourceMonitorClient;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- it is called with the client
  const { registerResource } = prototype;
  prototype.registerResource = function (this: Monitor.ResourceMonitorClient, ...of: unknown[]) {
    prototype.registerResource = registerResource;
    const request = new messages.ResourceInvokeRequest();
    request.setTok("pulumi-nodejs:dynamic:start");
    const answered = of.pop() as (...answer: unknown[]) => void;
    const registered = (...answer: unknown[]) => {
      this.invoke(request, () => undefined);
      // A turn later, because nothing leaves this process while the program loads.
      setImmediate(() => {
        answered(...answer);
      });
    };
    return Reflect.apply(registerResource, this, [...of, registered]) as ClientUnaryCall;
  };
}
