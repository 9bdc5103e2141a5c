import { runtime } from "@pulumi/pulumi";
import { DynamicProvider } from "../../local/engine/providers/dynamic";
import { dynamicStep, type StepName } from "../../components/dynamicStep";

/** A step as Pulumi runs it: its code as text, in the SDK's own provider process. */
export interface RunningStep {
  /** The text that Pulumi keeps in the state of every such resource. */
  text: string;
  check(inputs: Record<string, unknown>): Promise<{ property: string; reason: string }[]>;
  changes(last: Record<string, unknown>, inputs: Record<string, unknown>): Promise<string>;
  create(inputs: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** What its code has printed so far: the engine shows it in the update's output. */
  shown: string[];
  /** Another step of the same update, which runs in the same process. */
  beside(step: StepName): Promise<Omit<RunningStep, "beside" | "close">>;
  close(): Promise<void>;
}

/** A provider as Pulumi writes it into state: the object and all that it captures, as text. */
export async function storedCode(step: StepName): Promise<string> {
  const provider = dynamicStep(step);
  return (await runtime.serializeFunction(() => provider, {})).text;
}

export async function startStep(step: StepName, env: Record<string, string> = {}): Promise<RunningStep> {
  const shown: string[] = [];
  const provider = new DynamicProvider({
    directory: process.cwd(),
    env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", ...env },
    // Nothing listens there: the process would only log to the engine.
    engineAddress: "127.0.0.1:1",
    config: {},
    log: (line) => shown.push(line),
  });
  const run = { preview: false, timeoutSeconds: 0, progress: () => undefined, signal: new AbortController().signal };
  const stepIn = async (name: StepName) => {
    const text = await storedCode(name);
    const resource = resourceOf(name);
    const withCode = (inputs: object) => ({ ...inputs, __provider: text });
    return {
      text,
      check: async (inputs: Record<string, unknown>) => (await provider.check({ ...resource, oldInputs: undefined, inputs: withCode(inputs) })).failures,
      changes: async (last: Record<string, unknown>, inputs: Record<string, unknown>) => {
        const old = withCode(last);
        return (await provider.diff({ ...resource, id: name, oldInputs: old, oldOutputs: old, inputs: withCode(inputs) })).changes;
      },
      create: async (inputs: Record<string, unknown>) => (await provider.create({ ...resource, ...run, inputs: withCode(inputs) })).outputs,
      shown,
    };
  };
  return { ...(await stepIn(step)), beside: stepIn, close: () => provider.close() };
}

function resourceOf(step: StepName) {
  return { urn: `urn:pulumi:test::chatgpt-app::pulumi-nodejs:dynamic:Resource::${step}`, type: "pulumi-nodejs:dynamic:Resource", name: step };
}
