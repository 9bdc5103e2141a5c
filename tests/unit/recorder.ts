import * as pulumi from "@pulumi/pulumi";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks";
import { awaitFeatureSupport } from "@pulumi/pulumi/runtime/settings";
import { parseSettings } from "@bluegreen/release/settings/settings";
import { BlueGreenApp } from "../../components/blueGreenApp";

declare module "@pulumi/pulumi/runtime/settings" {
  /** Asks the monitor what it can do. Left out of the package's types, which mean it for the SDK alone. */
  function awaitFeatureSupport(): Promise<void>;
}

export interface Recorded {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
  /** Names of the resources that this one waits for. */
  dependsOn: string[];
  /** The inputs as text, without those that the state keeps encrypted. */
  readable: string;
  /** What the state keeps encrypted, whatever the provider says. */
  secretOutputs: string[];
}

/** The part of a registration that mocks are not told. */
interface Registration {
  getName(): string;
  getType(): string;
  getDependenciesList(): string[];
  getAdditionalsecretoutputsList(): string[];
  getObject(): { toJavaScript(): object } | undefined;
}

/** Records what a program registers. Mocks: no provider code, no gate and no cluster runs. */
export class Recorder extends MockMonitor {
  readonly recorded: Recorded[] = [];
  private readonly registrations = new Map<string, Pick<Recorded, "dependsOn" | "secretOutputs" | "readable">>();

  constructor() {
    super({
      newResource: ({ type, name, inputs }) => {
        const plain = Object.fromEntries(Object.entries(inputs as object).map(([key, value]) => [key, pulumi.runtime.unwrapRpcSecret(value)]));
        this.recorded.push({ type, name, inputs: plain, ...(this.registrations.get(`${type} ${name}`) ?? { dependsOn: [], secretOutputs: [], readable: "" }) });
        return { id: name, state: { ...plain, ...generated(type, name) } };
      },
      call: ({ inputs }) => inputs as Record<string, unknown>,
    });
  }

  override registerResource(request: Registration, callback: (error: unknown, response: unknown) => void): Promise<void> {
    const dependsOn = request.getDependenciesList().map((urn) => urn.split("::").at(-1) ?? urn);
    this.registrations.set(`${request.getType()} ${request.getName()}`, { dependsOn, secretOutputs: request.getAdditionalsecretoutputsList(), readable: withoutSecrets(request.getObject()?.toJavaScript()) });
    return super.registerResource(request, callback);
  }

  /** @throws Error unless exactly one resource has this type and name */
  one(type: string, name: string): Recorded {
    const found = this.recorded.filter((resource) => resource.type === type && resource.name === name);
    const [only] = found;
    if (only === undefined || found.length > 1) {
      throw new Error(`${found.length} resources ${type} ${name} among:\n${this.recorded.map((r) => `${r.type} ${r.name}`).join("\n")}`);
    }
    return only;
  }
}

function withoutSecrets(inputs: object = {}): string {
  return JSON.stringify(inputs, (_key, value: unknown) => (pulumi.runtime.isRpcSecret(value) ? "[secret]" : value));
}

function generated(type: string, name: string): Record<string, unknown> {
  return type.startsWith("random:") ? { result: `generated-${name}`, bcryptHash: `hash-of-${name}` } : {};
}

export const someSettings = { activeColor: "blue", blueTag: "v1.2.3", greenTag: "v1.3.0", imageRepository: "ghcr.io/you/chatgpt-app", host: "app.example.com" };

/** What the program registers for a stack's config. */
export async function recordApp(config: Record<string, string> = someSettings): Promise<Recorder> {
  const recorder = new Recorder();
  pulumi.runtime.setMockOptions(recorder, "chatgpt-app", "test");
  // As with every engine: otherwise a secret is registered as its plain value.
  await awaitFeatureSupport();
  new BlueGreenApp("chatgpt-app", parseSettings(config));
  await pulumi.runtime.disconnect();
  return recorder;
}
