import { codeOf } from "@bluegreen/components/dynamicStep";
import { poll } from "@bluegreen/release";
import type { StepName } from "@bluegreen/release/steps/registry";
import { startProviderProcess, type Properties } from "./providerProcess";

/** A step as Pulumi runs it: its code as text, in the SDK's own provider process. */
export interface RunningStep {
  /** The text that Pulumi keeps in the state of every such resource. */
  text: string;
  check(inputs: Properties): Promise<{ property: string; reason: string }[]>;
  changes(last: Properties, inputs: Properties): Promise<string>;
  create(inputs: Properties): Promise<Properties>;
  update(last: Properties, inputs: Properties): Promise<Properties>;
  /** What a refresh finds; undefined where there is no such thing any more. */
  read(last: Properties): Promise<Properties | undefined>;
  /** What its code has printed so far: the engine shows it in the update's output. */
  shown: string[];
  /**
   * Waits for a line that has this text: what is printed comes by another way than the answer, and may be
   * later. @returns the line
   * @throws Error with all that was printed, when none does within 20 s
   */
  shows(text: string): Promise<string>;
  /** Another step of the same update, which runs in the same process. */
  beside(step: StepName): Omit<RunningStep, "beside" | "close">;
  close(): Promise<void>;
}

export async function startStep(step: StepName, env: Record<string, string> = {}): Promise<RunningStep> {
  const shown: string[] = [];
  const provider = await startProviderProcess(
    { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", ...env },
    (line) => shown.push(line),
  );
  const shows = (text: string) =>
    poll(() => Promise.resolve(shown.find((line) => line.includes(text))), {
      timeoutMs: 300_000,
      intervalMs: 20,
    }).catch(() => {
      throw new Error(`no line has ${JSON.stringify(text)}:\n${shown.join("\n")}`);
    });
  const stepIn = (name: StepName) => {
    const text = codeOf(name);
    const urn = `urn:pulumi:test::chatgpt-app::pulumi-nodejs:dynamic:Resource::${name}`;
    const withCode = (inputs: Properties) => ({ ...inputs, __provider: text });
    return {
      text,
      check: (inputs: Properties) => provider.check(urn, withCode(inputs)),
      changes: (last: Properties, inputs: Properties) =>
        provider.diff(urn, name, withCode(last), withCode(inputs)),
      create: (inputs: Properties) => provider.create(urn, withCode(inputs)),
      update: (last: Properties, inputs: Properties) =>
        provider.update(urn, name, withCode(last), withCode(inputs)),
      read: (last: Properties) => provider.read(urn, name, withCode(last)),
      shown,
      shows,
    };
  };
  return { ...stepIn(step), beside: stepIn, close: () => provider.close() };
}
