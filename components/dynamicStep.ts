import * as pulumi from "@pulumi/pulumi";
import {
  kindOf,
  resourceOf,
  steps,
  type InputsOf,
  type OutputsOf,
  type StepName,
} from "@bluegreen/release/steps/registry";

/** Inputs of a step, as a Pulumi program gives them: any of them may come from another resource. */
export type StepArgs<Name extends StepName> = {
  [K in keyof InputsOf<Name>]: pulumi.Input<InputsOf<Name>[K]>;
};

/** A step of the release, with what came of it. */
export type ReleaseStep<Name extends StepName> = pulumi.CustomResource &
  (string extends keyof OutputsOf<Name>
    ? unknown
    : { readonly [K in keyof OutputsOf<Name>]: pulumi.Output<OutputsOf<Name>[K]> });

/**
 * A step of the release as a dynamic resource. Pulumi keeps its provider's code, as text, in the state of
 * every such resource. `pulumi.dynamic.Resource` finds that text by compiling and serializing an object in
 * each update; this one is written down: the same resource to Pulumi, without a compiler, and a text that no
 * new version of one changes (docs/decisions/024-built-once.md).
 */
class DynamicStep extends pulumi.CustomResource {
  constructor(step: StepName, owner: string, args: pulumi.Inputs, options: pulumi.CustomResourceOptions) {
    super(
      `pulumi-nodejs:dynamic/bluegreen:${kindOf(step)}`,
      resourceOf(step, owner),
      { ...args, __provider: codeOf(step) },
      options,
    );
  }
}

/** @param owner what it belongs to, as Pulumi calls it */
export function makeStep<Name extends StepName>(
  step: Name,
  owner: string,
  args: StepArgs<Name>,
  options: pulumi.CustomResourceOptions,
): ReleaseStep<Name> {
  const { outputs, secrets } = steps[step];
  // Outputs must be named among the inputs for Pulumi to create them.
  const pending = Object.fromEntries(outputs.map((output) => [output, undefined]));
  return new DynamicStep(
    step,
    owner,
    { ...args, ...pending },
    { ...options, ...(secrets.length > 0 && { additionalSecretOutputs: secrets }) },
  ) as ReleaseStep<Name>;
}

/** Never changes: it is in everybody's state. Whatever can change lives in the package that it loads. */
export function codeOf(step: StepName): string {
  return `exports.handler = () => require("@bluegreen/release/provider").dynamicProvider("${step}");\n`;
}
