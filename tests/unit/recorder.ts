import * as pulumi from "@pulumi/pulumi";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks";
import { awaitFeatureSupport } from "@pulumi/pulumi/runtime/settings";
import { parseSettings } from "@bluegreen/release/config/settings";
import { release } from "@bluegreen/components/release";

declare module "@pulumi/pulumi/runtime/settings" {
  /** Left out of the SDK's declarations. */
  function awaitFeatureSupport(): Promise<void>;
}

export interface Recorded {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
  /** Names of the resources that this one waits for. */
  dependsOn: string[];
  /** What the state keeps encrypted, whatever the provider says. */
  secretOutputs: string[];
  /** Nothing deletes it. */
  protect: boolean;
  /** URN of what it belongs to: another one makes it another resource. */
  parent: string;
  /** Inputs that this program leaves to others once they are there. */
  ignoreChanges: string[];
  /** Names that it may have had before; "" where that is another type or place. */
  aliases: string[];
  /** Names of the hooks that have to agree to a change. */
  hooks: string[];
  /** The inputs as the engine gets them and shows and stores them, without what is marked as secret. */
  readable: string;
}

/** The part of a registration that mocks are not told. */
interface Registration {
  getName(): string;
  getType(): string;
  getDependenciesList(): string[];
  getParent(): string;
  getAdditionalsecretoutputsList(): string[];
  getProtect(): boolean;
  getIgnorechangesList(): string[];
  getAliasesList(): { getSpec(): { getName(): string } | undefined }[];
  getHooks(): { getBeforeCreateList(): string[]; getBeforeUpdateList(): string[] } | undefined;
}

/** Records what a program registers. Mocks: no provider code, no gate and no cluster runs. */
export class Recorder extends MockMonitor {
  readonly recorded: Recorded[] = [];
  private readonly registrations = new Map<string, Omit<Recorded, "type" | "name" | "inputs" | "readable">>();

  constructor() {
    super({
      newResource: ({ type, name, inputs }) => {
        const plain = mapSecrets(inputs, (secret) => secret) as Record<string, unknown>;
        const readable = JSON.stringify(mapSecrets(inputs, () => "[secret]"));
        this.recorded.push({
          type,
          name,
          inputs: plain,
          readable,
          ...(this.registrations.get(`${type} ${name}`) ?? unregistered),
        });
        return { id: name, state: { ...plain, ...generated(type, name) } };
      },
      call: ({ inputs }) => inputs as Record<string, unknown>,
    });
  }

  override registerResource(
    request: Registration,
    callback: (error: unknown, response: unknown) => void,
  ): Promise<void> {
    const dependsOn = request.getDependenciesList().map((urn) => urn.split("::").at(-1) ?? urn);
    const hooks = request.getHooks();
    this.registrations.set(`${request.getType()} ${request.getName()}`, {
      dependsOn,
      secretOutputs: request.getAdditionalsecretoutputsList(),
      protect: request.getProtect(),
      parent: request.getParent(),
      ignoreChanges: request.getIgnorechangesList(),
      aliases: request.getAliasesList().map((alias) => alias.getSpec()?.getName() ?? ""),
      hooks: [...(hooks?.getBeforeCreateList() ?? []), ...(hooks?.getBeforeUpdateList() ?? [])],
    });
    return super.registerResource(request, callback);
  }

  /** The SDK's mocks know hooks by name only, and cannot be told of one: here it is enough that it exists. */
  registerResourceHook(_request: unknown, callback: (error: null, response: unknown) => void): void {
    callback(null, {});
  }

  /** @throws Error unless exactly one resource has this type and name */
  one(type: string, name: string): Recorded {
    const found = this.recorded.filter((resource) => resource.type === type && resource.name === name);
    const [only] = found;
    if (only === undefined || found.length > 1) {
      throw new Error(
        `${found.length} resources ${type} ${name} among:\n${this.recorded.map((r) => `${r.type} ${r.name}`).join("\n")}`,
      );
    }
    return only;
  }
}

const unregistered = {
  dependsOn: [],
  secretOutputs: [],
  protect: false,
  parent: "",
  ignoreChanges: [],
  aliases: [],
  hooks: [],
};

/** The signature of special values on the wire between program and engine, and that of secrets. */
const signature = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";

function mapSecrets(value: unknown, show: (secret: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => mapSecrets(each, show));
  if (typeof value !== "object" || value === null) return value;
  if (signature in value && value[signature] === secretSignature && "value" in value)
    return show(value.value);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, mapSecrets(each, show)]));
}

function generated(type: string, name: string): Record<string, unknown> {
  return type.startsWith("random:") ? { result: `generated-${name}`, bcryptHash: `hash-of-${name}` } : {};
}

/** As the reference program names its objects. */
export const someSettings = {
  namespace: "chatgpt-production",
  container: "mcp-server",
  databaseSecret: "db-credentials",
  envFromSecrets: '{"OPENAI_API_KEY":"openai-credentials/api-key"}',
  activeColor: "blue",
  blueTag: "v1.2.3",
  greenTag: "v1.3.0",
  imageRepository: "ghcr.io/you/chatgpt-app",
  host: "app.example.com",
};

/** What the program registers for a stack's config. */
export function recordApp(config: Record<string, string> = someSettings): Promise<Recorder> {
  return record("chatgpt-app", () => release("chatgpt-app", parseSettings("chatgpt-app", config)));
}

/** What a program registers. */
export async function record(project: string, program: () => unknown): Promise<Recorder> {
  const recorder = new Recorder();
  pulumi.runtime.setMockOptions(recorder, project, "test", false, "acme");
  // As every program does at its start: until then the SDK sends secrets in plain text, and knows no hooks.
  await awaitFeatureSupport();
  // The SDK takes a stack trace for each promise: source maps for all of them are most of the time here.
  const sourceMapped = Object.getOwnPropertyDescriptor(Error, "prepareStackTrace");
  Error.prepareStackTrace = undefined as never;
  try {
    program();
    await pulumi.runtime.disconnect();
  } finally {
    Object.defineProperty(Error, "prepareStackTrace", sourceMapped ?? {});
  }
  return recorder;
}

/** Everything that a resource waits for, directly or not. */
export function allBefore(recorder: Recorder, name: string, seen = new Set<string>()): Set<string> {
  for (const resource of recorder.recorded.filter((each) => each.name === name)) {
    for (const before of resource.dependsOn) {
      if (seen.has(before)) continue;
      seen.add(before);
      allBefore(recorder, before, seen);
    }
  }
  return seen;
}
