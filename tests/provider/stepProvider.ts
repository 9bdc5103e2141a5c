import { codeOf } from "@bluegreen/components/dynamicStep";
import type { StepName } from "@bluegreen/release/provider";
import { startProviderProcess, type Properties } from "./providerProcess";

/** A step as Pulumi runs it: its code as text, in the SDK's own provider process. */
export interface RunningStep {
  /** The text that Pulumi keeps in the state of every such resource. */
  text: string;
  check(inputs: Properties): Promise<{ property: string; reason: string }[]>;
  changes(last: Properties, inputs: Properties): Promise<string>;
  create(inputs: Properties): Promise<Properties>;
  /** What its code has printed so far: the engine shows it in the update's output. */
  shown: string[];
  /** Another step of the same update, which runs in the same process. */
  beside(step: StepName): Omit<RunningStep, "beside" | "close">;
  close(): Promise<void>;
}

export async function startStep(step: StepName, env: Record<string, string> = {}): Promise<RunningStep> {
  const shown: string[] = [];
  const provider = await startProviderProcess({ PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", ...env }, (line) => shown.push(line));
  const stepIn = (name: StepName) => {
    const text = codeOf(name);
    const urn = `urn:pulumi:test::chatgpt-app::pulumi-nodejs:dynamic:Resource::${name}`;
    const withCode = (inputs: Properties) => ({ ...inputs, __provider: text });
    return {
      text,
      check: (inputs: Properties) => provider.check(urn, withCode(inputs)),
      changes: (last: Properties, inputs: Properties) => provider.diff(urn, name, withCode(last), withCode(inputs)),
      create: (inputs: Properties) => provider.create(urn, withCode(inputs)),
      shown,
    };
  };
  return { ...stepIn(step), beside: stepIn, close: () => provider.close() };
}
