/**
 * Loads what every step runs with before Pulumi asks for one: once it has asked for the function that preload.ts
 * has it start this process by. Before that it waits for this process's answers, and the program with it. The
 * SDK's own program tells nobody of a function, so that this one has to be loaded before it.
 */
import { Server, type UntypedServiceImplementation } from "@grpc/grpc-js";

const { prototype } = Server;
// eslint-disable-next-line @typescript-eslint/unbound-method -- it is called with the server
const { addService } = prototype;
prototype.addService = function (this: Server, service, implementation: UntypedServiceImplementation) {
  const { invoke } = implementation;
  const invoked = (...of: unknown[]) => {
    // What does not load fails in the step that asks for it, which says so.
    setImmediate(() => void loadSteps().catch(() => undefined));
    return Reflect.apply(invoke as (...of: unknown[]) => unknown, implementation, of);
  };
  addService.call(this, service, Object.assign(implementation, { invoke: invoked }));
};

async function loadSteps(): Promise<void> {
  const { steps } = await import("@bluegreen/release/provider");
  await steps.liveLock.load();
}
