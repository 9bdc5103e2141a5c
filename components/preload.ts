/**
 * Loaded by Node.js before Pulumi's SDK is, where Pulumi.yaml asks for it (`nodeargs`). It keeps the SDK from
 * work that no update of this program needs, and has the process of steps start early. Without it an update
 * is the same, and takes longer (docs/decisions/024-built-once.md).
 */
import type { Session } from "node:inspector";
import { createRequire, enableCompileCache } from "node:module";
import { stripVTControlCharacters } from "node:util";
import type { ClientUnaryCall } from "@grpc/grpc-js";
import type * as Log from "@pulumi/pulumi/log/index.js";
import type * as Monitor from "@pulumi/pulumi/proto/resource_grpc_pb.js";
import type * as Messages from "@pulumi/pulumi/proto/resource_pb.js";
import { calledLate, compiledLate, instead, late, loadedOf, loaderOf } from "./lateModules";
import { startSecretHashes } from "./secretHash";

/** What the SDK asks of its own tracing. */
interface Tracing {
  start(url: string): void;
  stop(): void;
  newSpan(name: string): unknown;
}

/** As much of OpenTelemetry's interface as that takes. */
interface Interface {
  trace: { getTracer(name: string): { startSpan(name: string): unknown } };
}

// What this process compiles the next one finds, by a shell that has no NODE_COMPILE_CACHE, too.
enableCompileCache();
// A compiler, for functions that are serialized.
instead("@pulumi/pulumi/typescript-shim", compiledLate);
// For programs that run Pulumi.
instead("@pulumi/pulumi/automation", compiledLate);
// For providers written in this language.
instead("@pulumi/pulumi/provider", compiledLate);
// For functions that are serialized.
instead("@pulumi/pulumi/runtime/closure/createClosure", compiledLate);
// For packages that a serialized function needs.
instead("normalize-package-data", calledLate);
// For `pulumi up --tracing`.
instead("@pulumi/pulumi/cmd/run/tracing", tracedLate);
// Each language that zod knows; its own is English.
instead("zod/v4/locales", compiledLate);
// For settings that are YAML.
instead("yaml", late);
// A debugger, for functions that are serialized, which is told of each file that is loaded.
instead("@pulumi/pulumi/runtime/closure/v8Hooks", debuggedLate);
// The SDK takes a stack trace for each promise, and would look up the source map of each line of it. Lines in
// errors are those of the files that run.
instead("source-map-support/register", () => ({}));
// While the SDK loads, for which one core is enough.
startSecretHashes(process.env["PULUMI_CONFIG"] ?? "{}");
// Once the SDK has loaded, and before it runs the program.
process.nextTick(() => {
  const debuggable = loadedOf("@pulumi/pulumi/runtime/debuggable") as Debuggable | undefined;
  // Shown for a promise that never resolves, to who asks for it (PULUMI_DEBUG_PROMISE_LEAKS).
  if (debuggable?.debugPromiseLeaks === false)
    debuggable.debuggablePromise = withoutStack(debuggable.debuggablePromise);
  const log = loadedOf("@pulumi/pulumi/log") as typeof Log | undefined;
  if (log !== undefined) Object.assign(log, { debug: joined(log.debug), error: withoutAftermath(log.error) });
  startSteps();
});

/** How the SDK keeps an eye on its promises. */
interface Debuggable {
  debugPromiseLeaks: boolean;
  debuggablePromise: (...of: unknown[]) => unknown;
}

/** The SDK notes for each promise where it was made, and most of what that takes is to write it down. */
function withoutStack<Of extends unknown[], Result>(make: (...of: Of) => Result): (...of: Of) => Result {
  return (...of) => {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    try {
      return make(...of);
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  };
}

/** Without a trace that somebody asked for, all of OpenTelemetry that is loaded is its interface. */
function tracedLate(file: string): object {
  const { trace } = createRequire(file)("@opentelemetry/api") as Interface;
  const load = loaderOf(file) as () => Tracing;
  let newSpan: Tracing["newSpan"] = (name) => trace.getTracer("nodejs-runtime").startSpan(name);
  return {
    start: (url) => {
      const traced = load();
      traced.start(url);
      newSpan = (name) => traced.newSpan(name);
    },
    stop: () => {
      load().stop();
    },
    newSpan: (name) => newSpan(name),
  } satisfies Tracing;
}

/** What the SDK knows of V8: the same as it, once it is asked for something. */
function debuggedLate(): object {
  const urls = new Map<string, string>();
  let session: Promise<Session> | undefined;
  const debug = () =>
    new Promise<Session>((resolve, reject) => {
      const opened = new (process.getBuiltinModule("node:inspector").Session)();
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
function joined(send: typeof Log.debug): typeof Log.debug {
  let current: ReturnType<typeof startJoining> | undefined;
  const startJoining = () => {
    const lines: string[] = [];
    const sent = new Promise<void>((resolve) => {
      setImmediate(() => {
        current = undefined;
        resolve(send(lines.join("\n")));
      });
    });
    return { lines, sent };
  };
  return (line, resource, ...how) => {
    if (resource !== undefined) return send(line, resource, ...how);
    current ??= startJoining();
    current.lines.push(line);
    return current.sent;
  };
}

/**
 * Where a step is refused, Pulumi ends the update and says why. A request that was on its way then fails, and
 * the SDK shows that as an error of the program, with a stack trace, if it is quicker than its end.
 */
function withoutAftermath(send: typeof Log.error): typeof Log.error {
  return (message, ...how) =>
    aftermath.test(stripVTControlCharacters(message)) ? Promise.resolve() : send(message, ...how);
}

/** In the SDK's own words, from the first one on: an error of the program may quote those of another update. */
const aftermath = new RegExp(
  [
    "^(?:Running program '.*' failed with an unhandled exception:\n)?",
    "(?:<ref \\*\\d+> )?(?:Error: )?",
    "(?:\\d+ [A-Z]+: |failed to (?:register|read) .*\\]: )?",
    "resource monitor (?:is terminating|shut down)",
  ].join(""),
  "i",
);

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
