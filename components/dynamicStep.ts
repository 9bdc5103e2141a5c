import * as pulumi from "@pulumi/pulumi";
import type { StepName } from "@bluegreen/release/provider";

/** Inputs of a step, as a Pulumi program gives them: any of them may come from another resource. */
export type StepArgs<Inputs> = { [K in keyof Inputs]: pulumi.Input<Inputs[K]> };

/**
 * A step of the release as a dynamic resource. Pulumi keeps its provider's code, as text, in the state of every such
 * resource. `pulumi.dynamic.Resource` finds that text by compiling and serializing an object in each update; this one
 * is written down: the same resource to Pulumi, without a compiler, and a text that no new version of one changes
 * (docs/decisions/024-built-once.md).
 */
export abstract class DynamicStep extends pulumi.CustomResource {
  protected constructor(step: StepName, name: string, args: pulumi.Inputs, options?: pulumi.CustomResourceOptions) {
    const type = step.charAt(0).toUpperCase() + step.slice(1);
    super(`pulumi-nodejs:dynamic/bluegreen:${type}`, name, { ...args, __provider: codeOf(step) }, options);
  }
}

/** Never changes: it is in everybody's state. Whatever can change lives in the package that it loads. */
export function codeOf(step: StepName): string {
  return `exports.handler = () => require("@bluegreen/release/provider").dynamicProvider("${step}");\n`;
}
